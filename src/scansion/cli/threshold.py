"""A score that was demanded: not to reach it has an exit code of its own."""

from scansion.errors import ThresholdError
from scansion.measures.metric import Metric


def check_threshold(metric: Metric, score: float, at_least: float | None, at_most: float | None, what: str) -> None:
    """ThresholdError, which calls the score ``what``, unless it is as good as was demanded by either of the two.

    Of a score that is the better the lower, ``at_least`` means at least as good.
    """
    for demanded in (at_least, at_most):
        if demanded is not None and not metric.reaches(score, demanded):
            side = "below" if metric.higher_is_better else "above"
            raise ThresholdError(f"{what} is {score:.4f}, {side} the {demanded} that was demanded.")
