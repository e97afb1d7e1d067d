"""``scansion compare``: the main job."""

import json
import sys
from pathlib import Path
from typing import Annotated

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
    data: Annotated[str | None, typer.Argument(metavar="[DATA]", help="A table, a label folder or - ; see "
                                                  "scansion fit --help.")] = None,
    use_demo: Annotated[bool, typer.Option("--demo", help="Compare on the shipped film review sentences.")] = False,
    text: TextColumn = None,
    target: TargetColumn = None,
    split: Annotated[str | None, typer.Option("--split", help="A column that says train or test.")] = None,
    test: Annotated[str | None, typer.Option("--test", metavar="FILE", help="A second table: the test rows.")] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Test every row once, in this many parts.")] = None,
    families: Annotated[list[str] | None, typer.Option("--families", help="Which, separated by commas; by default "
                                                          "all. The baseline is always there.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Runs of each family that draws at random.")] = 3,
    task: Task = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write report.json and report.md "
                                                "here.")] = None,
    at_least: AtLeast = None,
    as_json: Json = False,
) -> None:
    """Train every family on the same rows, and say with evidence which one to use."""
    from scansion.comparison.compare import comparing
    from scansion.comparison.result import Comparison
    from scansion.comparison.runs import Doing, Outcome

    if use_demo == (data is not None):
        raise UsageError("Name a table, or give --demo for the shipped one: scansion compare reviews.csv")
    if use_demo and not (folds or test):
        split = split or DEMO_SPLIT
    columns = Columns(text, target, split, task, label_separator, max_bad)
    documents = read(demo() if use_demo else str(data), columns)
    second = None
    if test is not None:
        held = read(test, Columns(documents.text_column, documents.target_column, None, documents.task,
                                  label_separator, max_bad))
        second = (list(held.texts), answers(held))
    named = [name.strip() for given in families or [] for name in given.split(",") if name.strip()]
    comparison: Comparison | None = None
    with Telling() as telling:
        for event in comparing(
            list(documents.texts), answers(documents), named or None, task=documents.task, test=second,
            splits=documents.splits, folds=folds, seeds=seeds, budget=budget, class_weight=class_weight,
            processes=processes, random_state=random_state,
        ):
            if isinstance(event, Doing):
                telling.now(f"{event.label}, seed {event.seed}: {event.doing}", event.progress)
            elif isinstance(event, Outcome):
                said = event.failure or f"{event.cost['fit_seconds']:.1f} s"
                telling.done(f"{event.run.label}, seed {event.run.seed}, part {event.run.fold + 1}: {said}")
            else:
                comparison = event
                _print(comparison, as_json, out)
    _judge(comparison, at_least)


def _print(comparison, as_json: bool, out: Path | None) -> None:
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


def _judge(comparison, at_least: float | None) -> None:
    if comparison.failed:
        names = ", ".join(row.family for row in comparison.failed)
        raise SomeFamiliesFailedError(f"These families have no score: {names}. Their reasons stand above.")
    best = max(row.score for row in comparison.rows)
    if at_least is not None and best < at_least:
        raise ThresholdError(f"The best {comparison.metric} is {best:.4f}, below the {at_least} that was demanded.")
