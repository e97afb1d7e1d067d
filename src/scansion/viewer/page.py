"""One offline page: a template, the one style sheet and, where something moves, one script.

Nothing is fetched and nothing foreign runs: the page's own policy allows the script by its digest, pictures only as
data, and no connection at all.  Templates escape every text.
"""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HERE = Path(__file__).parent
TEMPLATES = Environment(
    autoescape=True, loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
STYLE = "page.css"


def page(template: str, values: Mapping[str, Any], script: str = "") -> str:
    """A whole page from a template that extends ``page.html``; ``script`` is the name of a file beside it."""
    source = (HERE / script).read_text(encoding="utf-8") if script else ""
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return TEMPLATES.get_template(template).render(
        values, style=Markup((HERE / STYLE).read_text(encoding="utf-8")), script=Markup(source),
        allowed=f"'sha256-{digest}'" if script else "'none'",
    )
