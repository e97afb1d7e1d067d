"""The report folder: ``report.html`` and ``report.md`` for people, ``report.json`` for programs.

Its fields are in docs/report.md.
"""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment

from scansion.errors import UsageError
from scansion.storage.atomic import put_folder
from scansion.viewer.number_format import (
    bytes_shown,
    measure_shown,
    options_shown,
    processor_shown,
    rate_shown,
    score_shown,
    seconds_shown,
)
from scansion.viewer.plain_text import markdown_text
from scansion.viewer.report import RANKS, report_page

NAMES = {"report.json", "report.md", "report.html"}

PAGE = """# Comparison of {{ report.rows | length }} families

**{{ report.verdict.family or "No family" }}.** {{ report.verdict.reason }}

The rule: {{ report.verdict.rule }}. {{ report.verdict.change }}

{{ "{:,}".format(report.train_rows) }} training rows, {{ "{:,}".format(report.test_rows) }} test rows; \
{{ report.facts.split }}.
{% if report.duplicates %}Of the test texts {{ "{:,}".format(report.duplicates) }} also occur in training.
{% endif -%}
{% if report.interrupted %}
**Interrupted:** some families were not run to the end.
{% endif %}
| rank | family | {{ measure(report.metric) }} | 95 % interval | letters | fit | cpu s | documents/s \
| size | memory | read | seeds |
|---:|---|---:|---|---|---:|---:|---:|---:|---:|---:|---:|
{% for row in report.rows -%}
{% if row.status == "ok" -%}
| {{ row.rank_group }} | {{ row.family }}{{ " †" if row.cut_short }} | {{ score(row.score) }} \
| {{ score(row.low) }} to {{ score(row.high) }} | {{ row.letters }} \
| {{ seconds(row.fit_seconds) }} | {{ processor(row.processor_seconds) }} \
| {{ rate(row.documents_per_second) }} | {{ size(row.size_bytes) }} \
| {{ size(row.peak_memory_bytes) }} | {{ "%.1f %%" % (100 * row.tokens_read_share) }} | {{ row.seeds }}\
{{ " of %d" % row.seeds_planned if row.seeds < row.seeds_planned }} |
{% else -%}
| | {{ row.family }} | {{ row.status }} | {{ cell(row.reason) }} | \
| {{ seconds(row.fit_seconds) if row.fit_seconds is not none }} \
| {{ processor(row.processor_seconds) if row.processor_seconds is not none }} | | | | | |
{% endif -%}
{% endfor %}
{% if cut_short %}† Cut short by the budget. {% endif -%}
{{ ranks }} Fit is the mean of a run (of what was dropped early, all it took),\
 and cpu s what processors worked in it; memory is the
peak of its processes; read is the share of the test texts' words that the family knows.

## Paired tests

On the same test rows, Holm-adjusted over all pairs.

| pair | difference | 95 % interval | adjusted p | method |
|---|---:|---|---:|---|
{% for pair in report.pairs -%}
| {{ pair.families[0] }} less {{ pair.families[1] }} | {{ "%+.4f" % pair.difference }} \
| {{ "%+.4f" % pair.low }} to {{ "%+.4f" % pair.high }} | {{ "%.3g" % pair.adjusted_p_value }} | {{ pair.method }} |
{% endfor %}
{% if report.by_length -%}
## By length

{{ measure(report.metric) }} of the test texts by the words they have, with 95 % intervals.

| family |{% for part in report.by_length %} {{ part.least }}–{{ part.most }} ({{ "{:,}".format(part.rows) }} rows) |\
{% endfor %}
|---|{% for part in report.by_length %}---:|{% endfor %}
{% for row in report.rows if row.status == "ok" -%}
| {{ row.family }} |{% for part in report.by_length %} {{ score(part.scores[row.family]) }} \
({{ score(part.intervals[row.family][0]) }} to {{ score(part.intervals[row.family][1]) }}) |{% endfor %}
{% endfor %}
{% endif -%}
{% if report.learning_curve.points -%}
## Learning curve

{{ measure(report.metric) }} by how many labelled rows were learned from, with 95 % intervals.

| family |{% for size in sizes %} {{ "{:,}".format(size) }} rows |{% endfor %}
|---|{% for size in sizes %}---:|{% endfor %}
{% for family, points in curve.items() -%}
| {{ family }} |{% for size in sizes %} {% if size in points %}{{ score(points[size].score) }} \
({{ score(points[size].low) }} to {{ score(points[size].high) }}){% endif %} |{% endfor %}
{% endfor %}
{% for each in report.learning_curve.overtakings -%}
- {{ each.family }} overtakes {{ each.overtaken }} between {{ "{:,}".format(each.after) }} and \
{{ "{:,}".format(each.by) }} rows: its score less the other's is {{ span(each.before) }} and then \
{{ span(each.then) }}.
{% else -%}
No family significantly overtakes another between these sizes.
{% endfor %}
{% endif -%}
## Other measures

| family |{% for name in measures %} {{ measure(name) }} |{% endfor %}
|---|{% for name in measures %}---:|{% endfor %}
{% for row in report.rows if row.status == "ok" -%}
| {{ row.family }} |{% for name in measures %} {{ "%.4f" % row.measures[name] }} |{% endfor %}
{% endfor %}
## The data

{% for name, value in report.facts.items() if value is not none -%}
- {{ name | replace("_", " ") }}: {{ cell(value) }}
{% endfor %}
## How each family was trained

{% for row in report.rows if row.notes or row.options -%}
- **{{ row.family }}**: {% if row.options %}{{ cell(options(row.options)) }}; {% endif %}\
{{ cell(row.notes | join("; ")) }}{% if row.scores_by_seed | length > 1 %}; by seed: \
{% for value in row.scores_by_seed %}{{ score(value) }} {% endfor %}{% endif %}
{% endfor %}
Versions: {% for name, version in report.versions.items() %}{{ name }} {{ version }}{% if not loop.last %}, {% endif %}\
{% endfor %}.
"""


def save_report(report: dict[str, Any], folder: Path) -> None:
    """Write the three files of ``report`` in one step; only an older report is replaced, else UsageError."""
    files = {
        "report.json": _json(report), "report.md": markdown(report).encode(errors="replace"),
        "report.html": report_page(report).encode(errors="replace"),
    }
    put_folder(folder, files, _check_replaceable)


def markdown(report: dict[str, Any]) -> str:
    """``report.md``."""
    # the page is text, not HTML; whatever is put into it is escaped as Markdown needs it
    environment = Environment(autoescape=False, trim_blocks=False, keep_trailing_newline=True, finalize=_escaped)
    good = [row for row in report["rows"] if row["status"] == "ok"]
    return environment.from_string(PAGE).render(
        report=report, measures=list(good[0]["measures"]) if good else [], cell=_cell,
        options=options_shown, measure=measure_shown, span=_span, ranks=RANKS,
        cut_short=any(row["cut_short"] for row in good),
        **_curve(report["learning_curve"]["points"]),
        score=lambda value: score_shown(value, report["in_hundredths"]), seconds=seconds_shown, rate=rate_shown,
        processor=processor_shown, size=bytes_shown,
    )


def _curve(points: list[dict[str, Any]]) -> dict[str, Any]:
    """The sizes, and every family's points by size."""
    families: dict[str, dict[int, dict[str, Any]]] = {}
    for point in points:
        families.setdefault(point["family"], {})[point["rows"]] = point
    return {"sizes": sorted({point["rows"] for point in points}), "curve": families}


def _span(span: tuple[float, float, float]) -> str:
    difference, low, high = span
    return f"{difference:+.4f} ({low:+.4f} to {high:+.4f})"


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{name} {count:,}" for name, count in value.items())
    return " ".join(str(value).split())


def _escaped(value: Any) -> Any:
    return markdown_text(value) if isinstance(value, str) else value


def _json(report: dict[str, Any]) -> bytes:
    # half a surrogate pair, which a text may hold, has no UTF-8; JSON writes it as Python does, \udc00
    return (json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode(errors="backslashreplace")


def _check_replaceable(folder: Path) -> None:
    foreign = sorted({entry.name for entry in folder.iterdir()} - NAMES) if folder.is_dir() else [folder.name]
    if foreign:
        raise UsageError(f"{folder} holds {', '.join(foreign[:3])}, which is no report. Choose another place.")
