"""``scansion families``: what there is to choose from, and what ``fit --set`` can change."""

import json
import shutil
import sys
import textwrap
from typing import Any

from scansion.cli.shared_options import Json

EXAMPLES = """Examples:
  scansion families
  scansion fit reviews.csv --family lstm --set width=256 --out model      an option from the list
"""


def families(as_json: Json = False) -> None:
    """List every family with its options and their defaults."""
    from scansion.families.catalogue import DOCUMENT_FAMILIES, LANGUAGE_FAMILIES, TRANSLATION_FAMILIES, options_of

    kinds = {
        title: {
            name: {"about": _first_line(kind.__module__), "options": options_of(kind)} for name, kind in known.items()
        }
        for title, known in (
            ("documents", DOCUMENT_FAMILIES), ("translation", TRANSLATION_FAMILIES),
            ("language models", LANGUAGE_FAMILIES),
        )
    }
    if as_json:
        print(json.dumps(kinds, indent=2, ensure_ascii=False))
        return
    for title, known in kinds.items():
        print(f"For {title}\n")
        _list(known)
        print()


def _list(known: dict[str, dict[str, Any]]) -> None:
    width = shutil.get_terminal_size((100, 24)).columns
    for name, family in known.items():
        options = " ".join(f"{option}={_written(default)}" for option, default in family["options"].items())
        print(name)
        for words in (family["about"], f"options: {options or 'none'}"):
            print(textwrap.fill(words, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False))


def _first_line(module: str) -> str:
    return (sys.modules[module].__doc__ or "").partition("\n")[0].replace("``", "")


def _written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)
