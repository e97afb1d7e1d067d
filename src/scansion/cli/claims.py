"""``scansion claims``: the talk's claims, each measured, drawn and judged."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from scansion.cli.output_paths import check_place
from scansion.cli.progress import Progress, say
from scansion.cli.shared_options import Json, Seed
from scansion.viewer.number_format import bound_shown, figure_shown, interval_shown

EXAMPLES = """Examples:
  scansion claims                              all of them, in about ten minutes
  scansion claims --quick --out talk           in three minutes, with wider intervals; open talk/claims.html
  scansion claims vanishing-gradients depth    two of them
  scansion claims n-squared --json > found.json
"""


def claims(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Which, by default all: order, "
                                                      "dimensions, vanishing-gradients, depth, training-difficulty, "
                                                      "transfer, attention-looks, n-squared, heads, positions, relu, "
                                                      "bottleneck, lstm-lives.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Less work, wider intervals: three minutes for all.")] = False,
    random_state: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write claims.html, claims.md, "
                                                "claims.json and the pictures here, over older ones.")] = None,
    as_json: Json = False,
) -> None:
    """Measure what the talk claims: predicted, found, and whether it holds."""
    from scansion.claims.claims_folder import NAMES, NUMBERS, json_text, save_claims
    from scansion.claims.run_claims import running

    if out is not None:
        check_place(out, NAMES, NUMBERS, replace=True)
    with Progress() as progress:
        found = _followed(running(names or [], quick, random_state), progress)
    report = json.loads(json_text(found.to_json()))
    if as_json:
        print(json_text(report), end="")
    else:
        _print(report)
    sys.stdout.flush()
    if out is not None and report["claims"]:
        save_claims(report, out)
        say(f"{out / 'claims.html'}: open it in a browser.")
    if found.ended_by is not None:
        raise found.ended_by


def _followed(events: Any, progress: Progress) -> Any:
    """The findings, with what happens on the way told; interrupted, those of the claims that were finished."""
    try:
        while True:
            progress.show(next(events))
    except StopIteration as done:
        return done.value
    except KeyboardInterrupt:  # it has struck here while an experiment waits, and has to learn of it
        try:
            events.throw(KeyboardInterrupt())
        except StopIteration as done:
            return done.value
        raise


def _print(report: dict[str, Any]) -> None:
    console = Console(highlight=False)
    for each in report["claims"]:
        figures = {figure["name"]: figure for figure in each["measured"]["figures"]}
        console.print(f"[bold]{each['name']}: {each['verdict']}[/bold]")
        console.print(escape(f"“{each['sentence']}”"), style="dim")
        console.print(escape(each["measured"]["sentence"]))
        for one in each["conditions"]:
            figure = figures[one["figure"]]
            span = f" ({interval_shown(figure)})" if figure["low"] != figure["high"] else ""
            value = figure_shown(figure["value"], figure["unit"])
            bound = bound_shown(one, each["measured"]["figures"])
            console.print(escape(f"  {one['state']:<8} {one['figure']}: {value}{span}, {bound}"))
        console.print()
