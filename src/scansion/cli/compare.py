"""``scansion compare``: the main job."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from scansion.cli.fit import borrowing
from scansion.cli.options import (
    AtLeast,
    Budget,
    ClassWeight,
    From,
    Json,
    LabelSeparator,
    MaxBad,
    Mode,
    Pretrain,
    Processes,
    Seed,
    TargetColumn,
    Task,
    TextColumn,
    Unlabelled,
)
from scansion.cli.places import check_place
from scansion.cli.reading import DEMO_SPLIT, Columns, answers, demo, read, read_unlabelled
from scansion.cli.telling import Telling, say
from scansion.cli.translation import check_options, check_two_sides, read_pairs
from scansion.errors import SomeFamiliesFailedError, ThresholdError, UsageError

EXAMPLES = """Examples:
  scansion compare --demo           on the shipped film reviews
  scansion compare reviews.csv      a fifth of the rows, drawn at random, is the test
  scansion compare train.tsv --test test.tsv --out report
  scansion compare tickets.jsonl --text body --target queue --folds 5
  scansion compare reviews.csv --families bag-of-words,lstm --seeds 5
  scansion compare reviews.csv --from models/my-bert --mode frozen
  scansion compare reviews.csv --learning-curve --out report     which family for how many labels
  scansion compare big.parquet --budget 20m --json > result.json
  scansion compare train.en train.de --test test.en --test test.de --budget 2h
"""


def compare(
    data: Annotated[list[str] | None, typer.Argument(metavar="DATA [TARGET]", help="A table (.csv .tsv .jsonl "
                                                        ".parquet, each also .gz), a folder with a sub-folder per "
                                                        "label, or -; to compare translators two text files, line i "
                                                        "of one translating line i of the other.")] = None,
    use_demo: Annotated[bool, typer.Option("--demo", help="Compare on the shipped film review sentences.")] = False,
    text: TextColumn = None,
    target: TargetColumn = None,
    split: Annotated[str | None, typer.Option("--split", help="A column that says train or test.")] = None,
    test: Annotated[list[str] | None, typer.Option("--test", metavar="FILE", help="A second table: the test rows. For "
                                                      "translators, once for each of the two files.")] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Test every row once, in this many parts.")] = None,
    families: Annotated[list[str] | None, typer.Option("--families", help="Which, separated by commas; by default "
                                                          "all (scansion families). The baseline is "
                                                          "always there.")] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", min=1, help="Runs of each family that draws at random, by "
                                                 "default three; of translators, one.")] = None,
    learning_curve: Annotated[bool, typer.Option("--learning-curve", help="Score every family on fewer training rows "
                                                 "too, and say where one overtakes another.")] = False,
    source: From = None,
    mode: Mode = None,
    pretrain: Pretrain = None,
    unlabelled: Unlabelled = None,
    task: Task = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write report.html, report.md and "
                                                "report.json here, over an older report.")] = None,
    at_least: AtLeast = None,
    as_json: Json = False,
) -> None:
    """Train every family on the same rows, and say with evidence which one to use."""
    from scansion.comparison.compare import comparing
    from scansion.comparison.report import NAMES

    data = data or []
    if use_demo == bool(data):
        raise UsageError("Name a table, or give --demo for the shipped one: scansion compare reviews.csv")
    if out is not None:
        check_place(out, frozenset(NAMES), "report.json", replace=True)
    named = _named(families or [], data)
    shared = {"seeds": seeds, "budget": budget, "processes": processes, "random_state": random_state}
    if len(data) > 1:
        check_options(data, None, {
            "--text": text, "--target": target, "--split": split, "--folds": folds, "--task": task,
            "--label-separator": label_separator, "--class-weight": class_weight, "--from": source, "--mode": mode,
            "--pretrain": pretrain, "--unlabelled": unlabelled, "--learning-curve": learning_curve or None,
        })
        _report(_of_translators(data, test, named, max_bad, shared), None, as_json, out, at_least)
        return
    if use_demo and not (folds or test):
        split = split or DEMO_SPLIT
    columns = Columns(text, target, split, task, label_separator, max_bad)
    documents = read(demo() if use_demo else data[0], columns, class_weight)
    second = _second(test, Columns(documents.text_column, documents.target_column, None, documents.task,
                                   label_separator, max_bad))
    events = comparing(
        list(documents.texts), answers(documents), _chosen(named, source, mode), task=documents.task, test=second,
        splits=documents.splits, folds=folds, class_weight=class_weight, pretrain=pretrain,
        unlabelled=read_unlabelled(unlabelled, text), learning_curve=learning_curve, **shared,
    )
    _report(events, folds, as_json, out, at_least)


def _named(families: list[str], data: list[str]) -> list[str]:
    """The families named, each known; two files are for those that translate."""
    from scansion.families.catalogue import FAMILIES, WRITERS, family_from, writer_from

    named = [name.strip() for given in families for name in given.split(",") if name.strip()]
    if strays := [name for name in data if name in {*FAMILIES, *WRITERS} and not Path(name).exists()]:
        raise UsageError(
            f"{', '.join(map(repr, strays))} {'is a family' if len(strays) == 1 else 'are families'}, and no file has "
            f"that name. Separate families by commas: --families {','.join([*named, *strays])}"
        )
    for name in named:
        (writer_from if len(data) > 1 else family_from)(name)
    return named


def _second(test: list[str] | None, columns: Columns) -> tuple[list[str], list[Any]] | None:
    """The test rows of a second table, if one was named."""
    if not test:
        return None
    if len(test) > 1:
        raise UsageError(f"--test takes one table; got {len(test)}.")
    held = read(test[0], columns)
    return list(held.texts), answers(held)


def _chosen(named: list[str], source: str | None, mode: str | None) -> list[Any]:
    """The families named, else the usual ones; with where weights are from or how they are used, the pretrained too."""
    from scansion.comparison.compare import usual_families
    from scansion.families.catalogue import family_from

    chosen = list(map(family_from, named)) or usual_families()
    if source is None and mode is None:
        return chosen
    others = [family for family in chosen if not hasattr(family, "source")]
    return [*others, borrowing(family_from("pretrained"), source, mode)]


def _of_translators(
    data: list[str], test: list[str] | None, families: list[str], max_bad: float | None, shared: dict[str, Any]
) -> Any:
    """What happens while translators are compared."""
    from scansion.comparison.compare import comparing

    pairs = read_pairs(*check_two_sides(data, "Comparing translators"), max_bad)
    held = None
    if test:
        second = read_pairs(*check_two_sides(test, "--test of translators"), max_bad)
        held = (second.source, second.target)
    return comparing(pairs.source, pairs.target, families or None, task="translate", test=held, **shared)


def _report(events: Any, folds: int | None, as_json: bool, out: Path | None, at_least: float | None) -> None:
    """Follow a comparison to its end, print it, and judge it."""
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
