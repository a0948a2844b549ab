"""Training experiments from one file: what is trained, how it is tested, what came of it, and which is better."""

from tagger.experiments.files import Experiment, read_experiment
from tagger.experiments.results import Results, read_results
from tagger.experiments.running import Run

__all__ = ["Experiment", "Results", "Run", "read_experiment", "read_results"]
