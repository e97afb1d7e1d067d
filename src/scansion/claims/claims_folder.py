"""The folder of the claims: ``claims.html``, ``claims.md`` and ``claims.json``, and each picture as an image."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment

from scansion.claims.catalogue import CLAIMS
from scansion.errors import UsageError
from scansion.storage.atomic import put_folder
from scansion.viewer.claims_page import claims_page, picture_file, shown_by

PAGE, TEXT, NUMBERS = "claims.html", "claims.md", "claims.json"
MOST_PICTURES = 9
NAMES = frozenset({PAGE, TEXT, NUMBERS} | {f"{name}-{i + 1}.svg" for name in CLAIMS for i in range(MOST_PICTURES)})

MARKDOWN = """# The talk, measured

“The LSTM is dead, long live the Transformer”: each claim of the talk as a small experiment. `scansion claims` measures
them; `scansion claims --out FOLDER` writes this page, its pictures and every number. Measured on {{ report.date }}\
{{ ", quickly" if report.quick }}, random state {{ report.random_state }}, with \
{% for name, version in report.versions.items() %}{{ name }} {{ version }}{{ ", " if not loop.last }}{% endfor %}.

{% if report.interrupted %}**Interrupted.** Not all claims were measured.

{% endif -%}
| claim | verdict |
|---|---|
{% for each in report.claims -%}
| [{{ each.sentence }}](#{{ each.name }}) | {{ marks[each.verdict] }} {{ each.verdict }} |
{% endfor %}
{{ report.rule }}
{% for each in report.claims %}
## {{ each.name }}

> {{ each.sentence }}

**{{ each.verdict | capitalize }}.** {{ each.measured.sentence }}

{% for picture in each.measured.pictures -%}
<img src="{{ pictures }}{{ each.name }}-{{ loop.index }}.svg" width="400" \
alt="{{ picture.title }}: {{ picture.sentence }}">
{% endfor %}
Predicted: {{ each.predicted }} ({{ each.source }}). {{ each.seeds }} seeds, \
{{ "%.0f" % each.seconds }} seconds of one processor.

| condition | bound | found | 95 % interval | |
|---|---|---:|---:|---|
{% for one in each.conditions -%}
{% set figure = (each.measured.figures | selectattr("name", "equalto", one.figure) | list)[0] -%}
| {{ one.figure }}{{ "" if one.core else " (not core)" }} | {{ bound(one, each.measured.figures) }} | \
{{ shown(figure.value, figure.unit) }} | {{ interval(figure) }} | {{ one.state }} |
{% endfor %}
{%- endfor %}
"""


def save_claims(report: dict[str, Any], folder: Path) -> None:
    """Write the folder in one step; only an older one of ours is replaced, else UsageError."""
    files = {PAGE: claims_page(report), TEXT: markdown(report), NUMBERS: json_text(report), **picture_files(report)}
    put_folder(folder, {name: text.encode() for name, text in files.items()}, _check_replaceable)


def picture_files(report: dict[str, Any]) -> dict[str, str]:
    """Every picture as an image, by the name of its file."""
    return {
        f"{each['name']}-{number}.svg": picture_file(picture)
        for each in report["claims"] for number, picture in enumerate(each["measured"]["pictures"], 1)
    }


def markdown(report: dict[str, Any], pictures: str = "") -> str:
    """``claims.md``; ``pictures`` is where its images are, such as ``claims/``."""
    environment = Environment(autoescape=False, trim_blocks=False, keep_trailing_newline=True)
    return environment.from_string(MARKDOWN).render(report=report, pictures=pictures, **shown_by()).rstrip() + "\n"


def json_text(report: dict[str, Any]) -> str:
    """``claims.json``; numbers to six digits."""
    return json.dumps(_rounded(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _check_replaceable(folder: Path) -> None:
    foreign = sorted({entry.name for entry in folder.iterdir()} - NAMES) if folder.is_dir() else [folder.name]
    if foreign:
        raise UsageError(f"{folder} holds {', '.join(foreign[:3])}, which is no page of claims. Choose another place.")
