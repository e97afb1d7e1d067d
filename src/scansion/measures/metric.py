"""What each score is called, in which unit it is read, and which direction is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A score by its ``name`` in reports."""

    name: str
    in_hundredths: bool
    """Whether people read it in hundredths, as points."""
    higher_is_better: bool = True

    @property
    def unit(self) -> str:
        """Of a difference as it is shown; empty for the score's own unit."""
        return "points" if self.in_hundredths else ""

    def oriented(self, score: float) -> float:
        """The score with its sign turned where lower is better: the higher this, the better."""
        return score if self.higher_is_better else -score

    def reaches(self, score: float, demanded: float) -> bool:
        """Whether a score is at least as good as one that was demanded."""
        return self.oriented(score) >= self.oriented(demanded)


METRICS: dict[str, Metric] = {metric.name: metric for metric in (
    Metric("accuracy", True),
    Metric("balanced_accuracy", True),
    Metric("macro_f1", True),
    Metric("micro_f1", True),
    Metric("exact_match", True),
    Metric("roc_auc", True),
    Metric("average_precision", True),
    Metric("bleu", True),
    Metric("chrf", True),
    Metric("pearson", False),
    Metric("spearman", False),
    Metric("r2", False),
    Metric("mean_absolute_error", False, higher_is_better=False),
    Metric("root_mean_squared_error", False, higher_is_better=False),
    Metric("bits_per_byte", False, higher_is_better=False),
)}
