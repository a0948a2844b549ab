"""How far a model can be trusted: metrics, calibration, intervals by resampling documents, comparisons, and what its evidence is worth."""

from tagger.duplicates import NearDuplicates, Pair, near_duplicates
from tagger.evaluation.comparison import Comparison, Difference, Flip, compare, holm
from tagger.evaluation.corpora import annotators, evaluate, predict
from tagger.evaluation.evidence import Faithfulness, faithfulness
from tagger.evaluation.metrics import measure
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.resampling import Fold, grouped_folds, leaks, one_corpus_out, without_leaks
from tagger.evaluation.results import Evaluation, Figure, ThemeFigures

__all__ = [
    "Comparison",
    "Difference",
    "Evaluation",
    "Faithfulness",
    "Figure",
    "Flip",
    "Fold",
    "NearDuplicates",
    "Pair",
    "Predictions",
    "ThemeFigures",
    "annotators",
    "compare",
    "evaluate",
    "faithfulness",
    "grouped_folds",
    "holm",
    "leaks",
    "measure",
    "near_duplicates",
    "one_corpus_out",
    "predict",
    "without_leaks",
]
