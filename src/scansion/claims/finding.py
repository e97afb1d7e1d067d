"""What an experiment found: numbers with their intervals, pictures, and the verdict that a printed rule gives."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from scansion.errors import UsageError
from scansion.measures.intervals import interval_of
from scansion.viewer.charts import Point
from scansion.viewer.claims_page import claims_page
from scansion.viewer.notebook import FRAME_HEIGHT, framed

HOLDS, IN_PART, FAILS, UNDECIDED = "holds", "holds in part", "does not hold here", "not decided"
MET, NOT_MET, OPEN = "met", "not met", "open"
RULE = (
    "A condition is met if the whole 95 % interval lies on its side of the bound, not met if all of it lies on the "
    "other side, else open. The claim holds if all conditions are met; it does not hold here if none of its core "
    "conditions is met and none is open; it is not decided if none of them is met and one is open; else it holds in "
    "part."
)
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Figure:
    """A number and its 95 % interval, which is the number itself where nothing was drawn at random.

    ``unit`` is ``%`` for a share (from 0 to 1), ``B`` for bytes, ``10^`` for a logarithm whose number is shown, or what
    stands behind the number.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str = ""
    predicted: str = ""
    """What theory or a paper says of it, in words."""

    def at(self, x: float) -> Point:
        """As a point of a curve."""
        return Point(x, self.value, self.low, self.high)


@dataclass(frozen=True)
class Curve:
    """A line of a picture; a dashed one was computed from theory."""

    name: str
    points: tuple[Point, ...]
    theory: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves over one axis, which is the same for all of them; ``unit`` is that of a :class:`Figure`.

    What lies below ``lowest`` is not drawn; the table has it all.
    """

    title: str
    sentence: str
    across: str
    up: str
    curves: tuple[Curve, ...]
    unit: str = ""
    logarithmic_across: bool = False
    logarithmic_up: bool = False
    lowest: float | None = None

    kind: ClassVar[str] = "lines"


@dataclass(frozen=True)
class Matrix:
    """Numbers (rows, columns) with their names; ``marked`` are the cells (row, column) that theory asks for."""

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    marked: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Matrices:
    """Matrices side by side, drawn as cells between ``least`` and ``most``."""

    title: str
    sentence: str
    across: str
    down: str
    matrices: tuple[Matrix, ...]
    least: float = 0.0
    most: float = 1.0

    kind: ClassVar[str] = "matrices"


@dataclass(frozen=True)
class Measurement:
    """What an experiment gives: the sentence that says what was found, its figures and its pictures."""

    sentence: str
    figures: tuple[Figure, ...]
    pictures: tuple[Chart | Matrices, ...]


@dataclass(frozen=True)
class Condition:
    """What the figure of this name must be for the claim to hold: ``least`` or more, or ``most`` or less.

    The conditions that are not of the ``core`` say how well it must hold.
    """

    figure: str
    least: float | None = None
    most: float | None = None
    core: bool = True

    def state(self, figure: Figure) -> str:
        """Whether it is met, not met, or open."""
        if self.least is not None:
            return MET if figure.low >= self.least else NOT_MET if figure.high < self.least else OPEN
        most = np.inf if self.most is None else self.most
        return MET if figure.high <= most else NOT_MET if figure.low > most else OPEN


def verdict(conditions: Sequence[Condition], figures: Sequence[Figure]) -> tuple[str, list[str]]:
    """By :data:`RULE`, and the state of each condition. UsageError for a condition without its figure."""
    named = {figure.name: figure for figure in figures}
    if missing := [each.figure for each in conditions if each.figure not in named]:
        raise UsageError(f"The experiment has no figure {missing[0]!r}, which its verdict rests on.")
    states = [each.state(named[each.figure]) for each in conditions]
    core = [state for each, state in zip(conditions, states, strict=True) if each.core]
    if all(state == MET for state in states):
        return HOLDS, states
    if MET in core:
        return IN_PART, states
    return (UNDECIDED if OPEN in core else FAILS), states


@dataclass(frozen=True)
class Finding:
    """A claim, what was measured, and the verdict."""

    name: str
    sentence: str
    source: str
    predicted: str
    measured: Measurement
    conditions: tuple[Condition, ...]
    verdict: str
    states: tuple[str, ...]
    seeds: int
    seconds: float
    """Of the processor."""

    def to_json(self) -> dict[str, Any]:
        """Plain values; a condition has its state beside it, and a picture its kind."""
        found = asdict(self)
        for picture, plain in zip(self.measured.pictures, found["measured"]["pictures"], strict=True):
            plain["kind"] = picture.kind
        for state, plain in zip(found.pop("states"), found["conditions"], strict=True):
            plain["state"] = state
        return found

    def _repr_html_(self) -> str:
        return framed(claims_page({"rule": RULE, "claims": [self.to_json()]}), FRAME_HEIGHT)


def exact(name: str, value: float, unit: str = "", predicted: str = "") -> Figure:
    """A figure of which nothing was drawn."""
    return Figure(name, float(value), float(value), float(value), unit, predicted)


def mean_of(name: str, values: ArrayLike, unit: str = "", predicted: str = "") -> Figure:
    """The mean over seeds (S,), with Student's interval; a share's ends at 0 and 1."""
    found = np.asarray(values, dtype=np.float64)
    low, high = student(found)
    if unit == "%":
        low, high = max(0.0, low), min(1.0, high)
    return Figure(name, float(found.mean()), low, high, unit, predicted)


def share_of(name: str, right: Sequence[NDArray], predicted: str = "") -> Figure:
    """The share of rows that are right, from one (N,) array of rights and wrongs a seed, over rows and seeds."""
    arrays = [np.asarray(each, dtype=np.int64) for each in right]
    found = interval_of("multiclass", "accuracy", np.ones_like(arrays[0]), arrays)
    return Figure(name, found.score, found.low, found.high, "%", predicted)


def share_at(x: float, right: Sequence[NDArray]) -> Point:
    """The same as a point of a curve."""
    return share_of("", right).at(x)


def mean_at(x: float, values: ArrayLike, unit: str = "") -> Point:
    """A mean over seeds (S,) as a point of a curve."""
    return mean_of("", values, unit).at(x)


def student(values: NDArray) -> tuple[float, float]:
    """The interval of a mean over seeds (S,); the number itself for one."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, mean
    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2) * values.std(ddof=1) / len(values) ** 0.5)
    return mean - half, mean + half
