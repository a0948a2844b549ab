"""How far a model can be trusted: metrics, calibration and intervals by resampling documents."""

from tagger.evaluation.metrics import Evaluation, ThemeMetrics, evaluate, evaluate_scores

__all__ = ["Evaluation", "ThemeMetrics", "evaluate", "evaluate_scores"]
