"""``scansion families``: what there is to choose from, and what ``fit --set`` can change."""

import json
import shutil
import sys
import textwrap

from scansion.cli.options import Json

EXAMPLES = """Examples:
  scansion families
  scansion fit reviews.csv --family lstm --set width=256 --out model      an option from the list
"""


def families(as_json: Json = False) -> None:
    """List every family with its options and their defaults."""
    from scansion.families.catalogue import FAMILIES, options_of

    known = {
        name: {"about": _first_line(kind.__module__), "options": options_of(name)} for name, kind in FAMILIES.items()
    }
    if as_json:
        print(json.dumps(known, indent=2, ensure_ascii=False))
        return
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
