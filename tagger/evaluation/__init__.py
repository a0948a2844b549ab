"""How far a model can be trusted: metrics, calibration, intervals by resampling documents, comparisons, and what its evidence is worth."""

from tagger.duplicates import Pair, near_duplicates
from tagger.evaluation.comparison import Comparison, Difference, Flip, compare, holm
from tagger.evaluation.evidence import Faithfulness, faithfulness
from tagger.evaluation.metrics import Evaluation, ThemeMetrics, evaluate, evaluate_scores, macro_f1_difference
from tagger.evaluation.resampling import Fold, grouped_folds, leaks, one_corpus_out, without_leaks

__all__ = [
    "Comparison",
    "Difference",
    "Evaluation",
    "Faithfulness",
    "Flip",
    "Fold",
    "Pair",
    "ThemeMetrics",
    "compare",
    "evaluate",
    "evaluate_scores",
    "faithfulness",
    "grouped_folds",
    "holm",
    "leaks",
    "macro_f1_difference",
    "near_duplicates",
    "one_corpus_out",
    "without_leaks",
]
