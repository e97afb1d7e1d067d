"""``scansion compare``: the main job."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from scansion.cli.options import (
    AtLeast,
    Budget,
    ClassWeight,
    Json,
    LabelSeparator,
    MaxBad,
    Processes,
    Seed,
    TargetColumn,
    Task,
    TextColumn,
)
from scansion.cli.places import check_place
from scansion.cli.reading import DEMO_SPLIT, Columns, answers, demo, read
from scansion.cli.telling import Telling, say
from scansion.errors import SomeFamiliesFailedError, ThresholdError, UsageError

EXAMPLES = """Examples:
  scansion compare --demo           on the shipped film reviews
  scansion compare reviews.csv      a fifth of the rows, drawn at random, is the test
  scansion compare train.tsv --test test.tsv --out report
  scansion compare tickets.jsonl --text body --target queue --folds 5
  scansion compare reviews.csv --families bag-of-words,lstm --seeds 5
  scansion compare big.parquet --budget 20m --json > result.json
"""


def compare(
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="A table (.csv .tsv .jsonl .parquet, each "
                                                  "also .gz), a folder with a sub-folder per label, or -.")] = None,
    use_demo: Annotated[bool, typer.Option("--demo", help="Compare on the shipped film review sentences.")] = False,
    text: TextColumn = None,
    target: TargetColumn = None,
    split: Annotated[str | None, typer.Option("--split", help="A column that says train or test.")] = None,
    test: Annotated[str | None, typer.Option("--test", metavar="FILE", help="A second table: the test rows.")] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Test every row once, in this many parts.")] = None,
    families: Annotated[list[str] | None, typer.Option("--families", help="Which, separated by commas; by default "
                                                          "all (scansion families). The baseline is "
                                                          "always there.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs of each family that draws at random.")] = 3,
    task: Task = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write report.json and report.md "
                                                "here, over an older report.")] = None,
    at_least: AtLeast = None,
    as_json: Json = False,
) -> None:
    """Train every family on the same rows, and say with evidence which one to use."""
    from scansion.comparison.compare import comparing
    from scansion.comparison.report import NAMES
    from scansion.families.catalogue import family_from

    if use_demo == (data is not None):
        raise UsageError("Name a table, or give --demo for the shipped one: scansion compare reviews.csv")
    if out is not None:
        check_place(out, frozenset(NAMES), "report.json", replace=True)
    named = [name.strip() for given in families or [] for name in given.split(",") if name.strip()]
    for name in named:
        family_from(name)
    if use_demo and not (folds or test):
        split = split or DEMO_SPLIT
    columns = Columns(text, target, split, task, label_separator, max_bad)
    documents = read(demo() if use_demo else str(data), columns, class_weight)
    second = None
    if test is not None:
        held = read(test, Columns(documents.text_column, documents.target_column, None, documents.task,
                                  label_separator, max_bad))
        second = (list(held.texts), answers(held))
    events = comparing(
        list(documents.texts), answers(documents), named or None, task=documents.task, test=second,
        splits=documents.splits, folds=folds, seeds=seeds, budget=budget, class_weight=class_weight,
        processes=processes, random_state=random_state,
    )
    with Telling() as telling:
        comparison = _followed(events, telling, folds)
    _print(comparison, as_json, out)
    if comparison.interrupted:
        raise KeyboardInterrupt
    _judge(comparison, at_least)


def _followed(events: Any, telling: Telling, folds: int | None) -> Any:
    """The comparison, with what happens on the way told; interrupted, the comparison of what was finished."""
    from scansion.comparison.runs import Doing, Outcome

    try:
        for event in events:
            if isinstance(event, Doing):
                telling.now(f"{_run(event.label, event.seed, event.fold, folds)}: {event.doing}", event.progress)
            elif isinstance(event, Outcome):
                said = event.failure or f"{event.cost['fit_seconds']:.1f} s"
                telling.done(f"{_run(event.run.label, event.run.seed, event.run.fold, folds)}: {said}")
            else:
                return event
    except KeyboardInterrupt:  # it may strike here while the comparison waits, and has to learn of it
        return events.throw(KeyboardInterrupt())


def _run(label: str, seed: int, fold: int, folds: int | None) -> str:
    return f"{label}, seed {seed}" + (f", part {fold + 1} of {folds}" if folds else "")


def _print(comparison: Any, as_json: bool, out: Path | None) -> None:
    from scansion.comparison.table import render

    if as_json:
        print(json.dumps(comparison.to_json(), indent=2))
    else:
        console = Console(highlight=False)
        console.print(render(comparison, console.width))
    sys.stdout.flush()
    if out is not None:
        comparison.save(out)
        say(f"The report is in {out}.")


def _judge(comparison: Any, at_least: float | None) -> None:
    if comparison.failed:
        names = ", ".join(row.family for row in comparison.failed)
        raise SomeFamiliesFailedError(f"These families have no score: {names}. Their reasons stand above.")
    best = max(row.score for row in comparison.rows)
    if at_least is not None and best < at_least:
        raise ThresholdError(f"The best {comparison.metric} is {best:.4f}, below the {at_least} that was demanded.")
