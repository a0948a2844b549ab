"""How far a model can be trusted: metrics, calibration, intervals by resampling documents, and what its evidence is worth."""

from tagger.evaluation.corpora import annotators, evaluate, predict
from tagger.evaluation.evidence import Faithfulness, faithfulness
from tagger.evaluation.metrics import macro_f1_difference, measure
from tagger.evaluation.predictions import Predictions
from tagger.evaluation.results import Evaluation, Figure, ThemeFigures

__all__ = [
    "Evaluation",
    "Faithfulness",
    "Figure",
    "Predictions",
    "ThemeFigures",
    "annotators",
    "evaluate",
    "faithfulness",
    "macro_f1_difference",
    "measure",
    "predict",
]
