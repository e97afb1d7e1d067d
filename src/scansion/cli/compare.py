"""``scansion compare``: the main job."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from scansion.cli.family_options import OF_WEIGHTS, all_with_weights
from scansion.cli.input_data import DEMO_SPLIT, demo, read_unlabelled
from scansion.cli.output_paths import check_place
from scansion.cli.progress import Progress, say, tell
from scansion.cli.shared_options import (
    AtLeast,
    AtMost,
    Budget,
    ClassWeight,
    DocumentsAre,
    EncodingName,
    From,
    Json,
    LabelSeparator,
    MaxBad,
    Mode,
    Pretrain,
    Processes,
    Seed,
    Separator,
    SheetName,
    StaticFrom,
    TargetColumn,
    TaskName,
    TextColumn,
    Tokens,
    Unlabelled,
)
from scansion.cli.threshold import check_threshold
from scansion.errors import SomeFamiliesFailedError, UsageError
from scansion.text.rows import FileOptions

EXAMPLES = """Examples:
  scansion compare --demo           on the shipped film reviews
  scansion compare reviews.csv      a fifth of the rows, drawn at random, is the test
  scansion compare train.tsv --test test.tsv --out report
  scansion compare tickets.jsonl --text body --target queue --folds 5
  scansion compare reviews.csv --families bag-of-words,lstm --seeds 5
  scansion compare reviews.csv --from models/my-bert --mode frozen
  scansion compare reviews.csv --learning-curve --out report     which family for how many labels
  scansion compare big.parquet --budget 20m --json > result.json
  scansion compare corpus.txt       language models of plain text, by bits per byte; the last fifth is the test
  scansion compare train.en train.de --test test.en --test test.de --budget 2h
"""

FamilyNames = Annotated[list[str] | None, typer.Option(
    "--families", help="Which, separated by commas; by default all (scansion families). The baseline is always there."
)]
Seeds = Annotated[int | None, typer.Option(
    "--seeds", min=1, help="Runs of each family that draws at random, by default three; of translators, one."
)]


def compare(
    data: Annotated[list[str] | None, typer.Argument(metavar="DATA [TARGET]", help="A table (.csv .tsv .jsonl "
                                                        ".json .parquet .xlsx .ods, each also .gz), a folder with a "
                                                        "sub-folder per label, or -; for translators two text files, "
                                                        "line i of one translating line i of the other.")] = None,
    use_demo: Annotated[bool, typer.Option("--demo", help="Compare on the shipped film review sentences.")] = False,
    text: TextColumn = None,
    target: TargetColumn = None,
    separator: Separator = None,
    encoding: EncodingName = None,
    sheet: SheetName = None,
    split: Annotated[str | None, typer.Option("--split", help="A column that says train or test.")] = None,
    test: Annotated[list[str] | None, typer.Option("--test", metavar="FILE", help="A second table: the test rows. For "
                                                      "translators, once for each of the two files.")] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Test every row once, in this many parts.")] = None,
    families: FamilyNames = None,
    seeds: Seeds = None,
    learning_curve: Annotated[bool, typer.Option("--learning-curve", help="Score every family on fewer training rows "
                                                 "too, and say where one overtakes another.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="Train every family with all rows and every seed, "
                                             "those too that cannot reach the best.")] = False,
    source: From = None,
    mode: Mode = None,
    static: StaticFrom = None,
    pretrain: Pretrain = None,
    unlabelled: Unlabelled = None,
    task: TaskName = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    tokens: Tokens = None,
    documents: DocumentsAre = None,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write report.html, report.md and "
                                                "report.json here, over an older report.")] = None,
    at_least: AtLeast = None,
    at_most: AtMost = None,
    as_json: Json = False,
) -> None:
    """Train every family on the same rows, and say with evidence which one to use."""
    from scansion.comparison.compare import comparing
    from scansion.tasks.catalogue import task_for
    from scansion.tasks.task import ReadOptions

    _check_report(out)
    split = DEMO_SPLIT if use_demo and not (folds or test or split) else split
    data = _without_families(_named_data(data or [], use_demo), families or [])
    expected = task_for(data, task)
    given = {
        "--text": text, "--target": target, "--split": split, "--folds": folds, "--task": task,
        "--label-separator": label_separator, "--class-weight": class_weight, "--from": source, "--mode": mode,
        "--static": static, "--pretrain": pretrain, "--unlabelled": unlabelled, "--learning-curve": learning_curve,
        "--tokens": tokens, "--separator": separator, "--encoding": encoding, "--sheet": sheet,
        "--documents": documents, "--at-most": at_most,
    }
    expected.check_options("compare", given)
    chosen = _chosen(expected, families or [], given)
    file = FileOptions(separator, encoding, sheet)
    options = ReadOptions(text, target, split, task, label_separator, max_bad, file, documents=documents)
    kind, dataset, held_out = _read(expected, data, test, options, given)
    events = comparing(
        dataset.inputs, dataset.targets, chosen, task=kind.name,
        test=None if held_out is None else (held_out.inputs, held_out.targets), splits=dataset.splits, folds=folds,
        seeds=seeds, budget=budget, class_weight=class_weight, tokens=tokens, pretrain=pretrain,
        unlabelled=read_unlabelled(unlabelled, dataset.columns), processes=processes, learning_curve=learning_curve,
        thorough=thorough, random_state=random_state,
    )
    _judge(_reported(events, folds, as_json, out), at_least, at_most)


def _read(
    expected: Any, data: list[str], test: list[str] | None, options: Any, given: dict[str, Any]
) -> tuple[Any, Any, Any]:
    """The task that the data set, the data, and the test data if they are a file of their own; remarks are told."""
    from scansion.tasks.catalogue import read_dataset

    kind, dataset = read_dataset(expected, data, options)
    kind.check_options("compare", given)
    held_out = None if not test else read_dataset(kind, test, dataset.columns)[1]
    for remark in (*dataset.remarks, *(held_out.remarks if held_out else ()), *kind.checked(dataset)):
        say(remark)
    return kind, dataset, held_out


def _reported(events: Any, folds: int | None, as_json: bool, out: Path | None) -> Any:
    """Follow a comparison to its end, and print it."""
    with Progress() as progress:
        comparison = _followed(events, progress, folds)
    _print(comparison, as_json, out)
    if comparison.interrupted:
        raise KeyboardInterrupt
    return comparison


def _check_report(out: Path | None) -> None:
    """UsageError for a place where a report cannot be written."""
    from scansion.comparison.report_folder import NAMES

    if out is not None:
        check_place(out, frozenset(NAMES), "report.json", replace=True)


def _named_data(data: list[str], use_demo: bool) -> list[str]:
    if use_demo == bool(data):
        raise UsageError("Name a table, or give --demo for the shipped one: scansion compare reviews.csv")
    return [demo()] if use_demo else data


def _without_families(data: list[str], families: list[str]) -> list[str]:
    """The files; UsageError for a family among them, which was meant to stand behind a comma."""
    from scansion.families.catalogue import FOR

    known = {name for families_of_a_task in FOR.values() for name in families_of_a_task}
    if strays := [name for name in data if name in known and not Path(name).exists()]:
        raise UsageError(
            f"{', '.join(map(repr, strays))} {'is a family' if len(strays) == 1 else 'are families'}, and no file has "
            f"that name. Separate families by commas: --families {','.join([*_named(families), *strays])}"
        )
    return data


def _named(families: list[str]) -> list[str]:
    return [name.strip() for given in families for name in given.split(",") if name.strip()]


def _chosen(task: Any, families: list[str], given: dict[str, Any]) -> list[Any] | None:
    """The families named, else None for the usual ones; with what was ``given`` of weights, as that says.

    Where weights are from, or how they are used, asks for the pretrained family too.
    """
    from scansion.families.catalogue import configured, name_of

    chosen = [configured(name, task.families) for name in _named(families)]
    if all(given[option] is None for option in OF_WEIGHTS):
        return chosen or None
    chosen = chosen or task.compared.usual()
    if (given["--from"] or given["--mode"]) is not None and "pretrained" not in map(name_of, chosen):
        chosen = [*chosen, configured("pretrained", task.families)]
    return all_with_weights(chosen, given)


def _followed(events: Any, progress: Progress, folds: int | None) -> Any:
    """The comparison, with what happens on the way told; interrupted, the comparison of what was finished."""
    from scansion.comparison.result import ComparisonInterrupted

    try:
        while True:
            progress.show(next(events).shown(folds))
    except StopIteration as done:
        return done.value
    except ComparisonInterrupted as interrupted:
        return interrupted.comparison
    except KeyboardInterrupt:  # it has struck here while the comparison waits, and has to learn of it
        try:
            events.throw(KeyboardInterrupt())
        except ComparisonInterrupted as interrupted:
            return interrupted.comparison
        raise


def _print(comparison: Any, as_json: bool, out: Path | None) -> None:
    from scansion.comparison.table import render

    if as_json:
        tell(json.dumps(comparison.to_json(), indent=2))
    else:
        console = Console(highlight=False)
        console.print(render(comparison, console.width))
    sys.stdout.flush()
    if out is not None:
        comparison.save(out)
        say(f"The report is in {out}.")


def _judge(comparison: Any, at_least: float | None, at_most: float | None) -> None:
    if comparison.failed:
        names = ", ".join(row.family for row in comparison.failed)
        raise SomeFamiliesFailedError(f"These families have no score: {names}. Their reasons stand above.")
    scored, metric = [row for row in comparison.rows if row.score is not None], comparison.metric
    if comparison.not_trained and all(row.family == comparison.baseline for row in scored):
        raise SomeFamiliesFailedError("No family was trained in this budget. Give more time: --budget.")
    check_threshold(metric, scored[0].score, at_least, at_most, f"The best {metric.name}")
