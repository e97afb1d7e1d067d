"""What stands behind a score: the answers of each family's first seed, looked at row by row."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scansion.measures.calibration import Calibration
from scansion.measures.confusion import Confusion, FoundLabel
from scansion.measures.disagreements import Disagreement
from scansion.measures.shared_errors import SharedErrors


@dataclass(frozen=True)
class Evidence:
    """Parts that a task does not have are empty; the baseline is not among shared errors and disagreements."""

    confusion: Confusion = field(default_factory=Confusion)
    labels_found: tuple[FoundLabel, ...] = ()
    calibration: Mapping[str, Calibration] = field(default_factory=dict)
    shared_errors: SharedErrors = SharedErrors()  # noqa: RUF009
    disagreements: tuple[Disagreement, ...] = ()
