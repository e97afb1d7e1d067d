"""Which measures people read in hundredths."""

from scansion.measures.contributions import SHARES
from scansion.viewer.figures import score_shown

PERCENT_MEASURES = SHARES | {"micro_f1", "macro_f1", "balanced_accuracy", "bleu", "chrf"}


def percent(value: float, measure: str) -> str:
    """A share in hundredths with one decimal, any other measure with three."""
    return score_shown(value, measure in PERCENT_MEASURES)
