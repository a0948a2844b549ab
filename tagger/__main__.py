"""``python -m tagger`` is the command line."""

from tagger.cli import main

main()
