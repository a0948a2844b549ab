"""How far a model can be trusted: metrics, calibration, intervals by resampling documents, and what its evidence is worth."""

from tagger.evaluation.evidence import Faithfulness, faithfulness
from tagger.evaluation.metrics import Evaluation, ThemeMetrics, evaluate, evaluate_scores, macro_f1_difference

__all__ = ["Evaluation", "Faithfulness", "ThemeMetrics", "evaluate", "evaluate_scores", "faithfulness", "macro_f1_difference"]
