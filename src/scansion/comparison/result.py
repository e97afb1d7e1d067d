"""What a comparison found: rows, paired tests and a verdict, as numbers, a data frame, HTML or files."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment
from numpy.typing import NDArray

from scansion.comparison.learning_curve import LearningCurve
from scansion.comparison.lengths import Slice
from scansion.comparison.report_folder import save_report
from scansion.comparison.verdict import Verdict
from scansion.errors import MissingExtraError
from scansion.measures.evidence import Evidence
from scansion.measures.metric import Metric
from scansion.measures.paired import PairedTest
from scansion.viewer.number_format import rate_shown

COLUMNS = (
    "family", "status", "reason", "score", "low", "high", "rank_group", "letters", "seeds",
    "fit_seconds", "processor_seconds", "documents_per_second",
    "size_bytes", "peak_memory_bytes", "tokens_read_share",
)


OK, FAILED, NOT_TRAINED, DROPPED = "ok", "failed", "not trained", "dropped early"


@dataclass(frozen=True)
class FamilyResult:
    """One family: its score with a 95 % interval, its rank, its cost; or the reason why it has none.

    Scores are on the measure's own scale (shares from 0 to 1); seconds and rates are means over runs.
    """

    family: str
    status: str
    """``ok``, ``failed``, where a budget did not suffice for an epoch ``not trained``, or ``dropped early``."""
    reason: str = ""
    score: float | None = None
    low: float | None = None
    high: float | None = None
    rank_group: int | None = None
    seeds: int = 0
    """Those in the score; of as many as were planned unless a budget or somebody ended it before."""
    fit_seconds: float | None = None
    """The mean of its runs; of one that was dropped early, what it has taken in all."""
    processor_seconds: float | None = None
    """Of ``fit_seconds``, those in which processors worked, all of them added up: on a busy machine the fairer one."""
    documents_per_second: float | None = None
    size_bytes: int | None = None
    peak_memory_bytes: int | None = None
    tokens_read_share: float | None = None
    sampling_error: float | None = None
    seed_error: float | None = None
    scores_by_seed: tuple[float, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)
    parameters: int | None = None
    notes: tuple[str, ...] = ()
    cut_short: bool = False
    """Whether a budget was spent before it had learned all it could."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The family's configuration."""
    seeds_planned: int = 0
    letters: str = ""
    """Two families share one exactly if they are not significantly different."""

    @property
    def span(self) -> tuple[float, float, float]:
        """Score, low and high of a family that has them."""
        return self.score or 0.0, self.low or 0.0, self.high or 0.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """The outcome of :func:`scansion.compare`."""

    task: str
    metric: Metric
    rows: tuple[FamilyResult, ...]
    """Best first; those without a score last."""
    verdict: Verdict
    pairs: Mapping[tuple[str, str], PairedTest]
    adjusted: NDArray
    """Holm-adjusted p values, (families, families), in the order of ``names``."""
    names: tuple[str, ...]
    baseline: str
    train_rows: int
    test_rows: int
    duplicates: int
    """Test texts that also occur among the training texts."""
    facts: Mapping[str, Any]
    versions: Mapping[str, str]
    interrupted: bool = False
    by_length: tuple[Slice, ...] = ()
    """Shortest texts first."""
    learning_curve: LearningCurve = LearningCurve()  # noqa: RUF009
    """Empty unless it was asked for."""
    evidence: Evidence = field(default_factory=Evidence)
    length_matters: bool = False
    """Whether the table in the terminal shows scores by length."""

    @property
    def failed(self) -> tuple[FamilyResult, ...]:
        """The families whose runs broke, or were interrupted."""
        return tuple(row for row in self.rows if row.status == FAILED)

    @property
    def not_trained(self) -> tuple[FamilyResult, ...]:
        """The families for which the budget did not suffice."""
        return tuple(row for row in self.rows if row.status == NOT_TRAINED)

    @property
    def dropped(self) -> tuple[FamilyResult, ...]:
        """The families whose learning curves could not reach the best, which were not trained with all rows."""
        return tuple(row for row in self.rows if row.status == DROPPED)

    def to_json(self) -> dict[str, Any]:
        """What ``scansion compare --json`` prints."""
        return {
            "task": self.task,
            "metric": self.metric.name,
            "rows": [{name: getattr(row, name) for name in COLUMNS} for row in self.rows],
            "verdict": {k: v for k, v in asdict(self.verdict).items() if k in ("family", "rule", "reason")},
            "train_rows": self.train_rows,
            "test_rows": self.test_rows,
            "duplicates": self.duplicates,
        }

    def report(self) -> dict[str, Any]:
        """All of it as plain values: ``report.json``; its fields are in docs/report.md."""
        pairs = [
            {"families": list(pair), **_finite(asdict(test)), "adjusted_p_value": self._adjusted(pair)}
            for pair, test in self.pairs.items()
        ]
        rows = [asdict(row) for row in self.rows]
        return {
            **self.to_json(), "rows": rows, "verdict": asdict(self.verdict), "pairs": pairs,
            "baseline": self.baseline, "in_hundredths": self.metric.in_hundredths,
            "higher_is_better": self.metric.higher_is_better,
            "facts": dict(self.facts), "versions": dict(self.versions), "interrupted": self.interrupted,
            "by_length": [asdict(each) for each in self.by_length],
            "learning_curve": asdict(self.learning_curve),
            **asdict(self.evidence),
        }

    def to_frame(self) -> Any:
        """A pandas data frame, a row a family. MissingExtraError without pandas."""
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("to_frame needs pandas: pip install 'scansion[frame]'.") from error
        return pandas.DataFrame([{name: getattr(row, name) for name in COLUMNS} for row in self.rows])

    def save(self, folder: str | Path) -> None:
        """Write ``report.html``, ``report.md`` and ``report.json`` into a new folder, or over an older report."""
        save_report(self.report(), Path(folder))

    def _repr_html_(self) -> str:
        return Environment(autoescape=True).from_string(HTML).render(comparison=self, rate=rate_shown)

    def _adjusted(self, pair: tuple[str, str]) -> float:
        return float(self.adjusted[self.names.index(pair[0]), self.names.index(pair[1])])


class ComparisonInterrupted(KeyboardInterrupt):
    """Somebody interrupted; ``comparison`` is of what was finished."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self.comparison = comparison


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    """JSON has no infinity: degrees of freedom without end become null."""
    return {name: None if value == float("inf") else value for name, value in values.items()}


HTML = """<table><caption>{{ comparison.verdict.reason }}</caption>
<tr><th>rank</th><th>family</th><th>{{ comparison.metric.name }}</th><th>95 % interval</th><th>letters</th>
<th>fit, s</th><th>cpu, s</th><th>documents/s</th></tr>
{% for row in comparison.rows %}<tr><td>{{ row.rank_group or "" }}</td><td>{{ row.family }}</td>
{% if row.status == "ok" %}<td>{{ "%.4f" % row.score }}</td>
<td>{{ "%.4f" % row.low }} to {{ "%.4f" % row.high }}</td><td>{{ row.letters }}</td>
<td>{{ "%.1f" % row.fit_seconds }}</td><td>{{ "%.1f" % row.processor_seconds }}</td>
<td>{{ rate(row.documents_per_second) }}</td>
{% else %}<td colspan="6">{{ row.status }}: {{ row.reason }}</td>{% endif %}</tr>
{% endfor %}</table>"""
