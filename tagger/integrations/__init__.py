"""tagger inside other tools, a module a library: each needs its library, and none is imported before it is asked for."""
