"""A further theme: its block in ``themes.toml``, passages to label for it, and a model that knows it beside those that it knew."""

from tagger.extending.block import add_theme, theme_name
from tagger.extending.candidates import Candidate, find_candidates
from tagger.extending.labels import Labelled, check_candidates, read_labels, write_candidates, write_labelled
from tagger.extending.learning import learn_theme

__all__ = [
    "Candidate",
    "Labelled",
    "add_theme",
    "check_candidates",
    "find_candidates",
    "learn_theme",
    "read_labels",
    "theme_name",
    "write_candidates",
    "write_labelled",
]
