"""``scansion fit``: train one model."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from scansion.cli.family_options import with_settings, with_weights
from scansion.cli.input_data import read_unlabelled
from scansion.cli.output_paths import check_place
from scansion.cli.progress import Progress, say, tell
from scansion.cli.shared_options import (
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
from scansion.cli.signals import heeding, how_to_go_on
from scansion.storage.lock_file import only_fit_into
from scansion.storage.metrics import CURVES, METRICS, curves_folder_of
from scansion.storage.run_folder import check_run, run_folder_of
from scansion.text.rows import FileOptions

EXAMPLES = """Examples:
  scansion fit reviews.csv --family n-grams --out model
  scansion fit train.jsonl --family lstm --set width=256 --set dropout=0.4 --budget 10m --out model
  scansion fit labelled-folder/ --family bag-of-words --class-weight balanced --out model
  scansion fit train.jsonl --family lstm --out model --resume
  scansion fit tickets.csv --family pretrained --mode frozen --out model
  scansion fit few.csv --family transformer --pretrain own --unlabelled many.txt --out model
  scansion fit corpus.txt --task encoder --out encoder           pretrained weights of your own, for --from
  scansion fit corpus.txt --out model                            a language model: n-grams of characters or subwords
  scansion fit train.en train.de --valid val.en val.de --family transformer --out translator

While a network trains, model.run keeps a checkpoint every minute, and one more on Ctrl-C, SIGTERM or SIGHUP (a closed
terminal); the same command with --resume goes on from there and ends with the very weights it would have had. A second
Ctrl-C stops at once. Meanwhile model.run/curves.svg shows how it goes, and in the end model.curves/curves.svg.
"""

Resume = Annotated[bool, typer.Option(
    "--resume", help="Go on with the unfinished run beside MODEL; where there is none, begin one."
)]
CheckpointEvery = Annotated[float, typer.Option(
    "--checkpoint-every", metavar="SECONDS", min=0.0, help="How often a network's run is kept while it trains."
)]


def fit(
    data: Annotated[list[str], typer.Argument(metavar="DATA [TARGET]", help="A table (.csv .tsv .jsonl .json "
                                              ".parquet .xlsx .ods, each also .gz), a folder with a sub-folder per "
                                              "label, or - for standard input. Two plain files of as many lines: "
                                              "texts and their translations.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="The model folder to write.")],
    family: Annotated[str | None, typer.Option("--family", help="Which one; scansion families lists them. Not with "
                                               "--task encoder.")] = None,
    text: TextColumn = None,
    target: TargetColumn = None,
    separator: Separator = None,
    encoding: EncodingName = None,
    sheet: SheetName = None,
    valid: Annotated[tuple[str, str] | None, typer.Option("--valid", metavar="SOURCE TARGET", help="For a translator: "
                                                          "the pairs to choose the epoch on.")] = None,
    task: TaskName = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    tokens: Tokens = None,
    documents: DocumentsAre = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="An option of the "
                                                          "family, such as width=256; may be repeated. "
                                                          "scansion families lists them.")] = None,
    source: From = None,
    mode: Mode = None,
    static: StaticFrom = None,
    pretrain: Pretrain = None,
    unlabelled: Unlabelled = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model, or an unfinished run, that is already "
                                        "there.")] = False,
    resume: Resume = False,
    checkpoint_every: CheckpointEvery = 60.0,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train one family on a table, on two files of parallel text or, an encoder, on texts; and write a model folder."""
    from scansion.learning.checkpointing import Checkpointing
    from scansion.tasks.catalogue import task_for
    from scansion.tasks.task import FitRequest, ReadOptions
    given = {"--text": text, "--target": target, "--valid": valid, "--task": task, "--class-weight": class_weight,
             "--label-separator": label_separator, "--from": source, "--mode": mode, "--static": static,
             "--pretrain": pretrain, "--unlabelled": unlabelled, "--separator": separator, "--encoding": encoding,
             "--sheet": sheet, "--tokens": tokens, "--documents": documents}
    expected = task_for(data, task)
    _check_places(expected, out, force, resume)
    expected.check_options("fit", given)
    configured = with_settings(with_weights(expected.configuration(family), given), settings or [])
    file = FileOptions(separator, encoding, sheet)
    options = ReadOptions(text, target, None, task, label_separator, max_bad, file, documents=documents)
    kind, dataset, held_out = _read(expected, data, valid, options, given)
    arguments = kind.own({"class_weight": class_weight, "pretrain": pretrain, "tokens": tokens})
    arguments |= {"budget": budget, "processes": processes, "random_state": random_state}
    checkpointing = Checkpointing(run_folder_of(out), resume, force, checkpoint_every)
    more = read_unlabelled(unlabelled, dataset.columns)
    events = kind.fit(dataset, FitRequest(configured, arguments, held_out, more, checkpointing))
    with only_fit_into(out), checkpointing, Progress() as progress, heeding(checkpointing.stop), how_to_go_on():
        _check_places(expected, out, force, resume)  # another process may have made the model meanwhile
        while True:
            try:
                progress.show(next(events))
            except StopIteration as done:
                trained = done.value
                break
        trained.save(out)
        for sentence in checkpointing.finish():
            progress.done(sentence)
    _tell(kind.report(trained, str(out)), as_json)


def _read(
    expected: Any, data: list[str], valid: tuple[str, str] | None, options: Any, given: dict[str, Any]
) -> tuple[Any, Any, Any]:
    """The task that the data set, the data, and those to validate on if there are any."""
    from scansion.tasks.catalogue import read_dataset

    kind, dataset = read_dataset(expected, data, options)
    kind.check_options("fit", given)
    held_out = None if valid is None else read_dataset(kind, valid, dataset.columns)[1]
    for remark in (*dataset.remarks, *(held_out.remarks if held_out else ()), *kind.checked(dataset)):
        say(remark)
    return kind, dataset, held_out


def _tell(summary: Any, as_json: bool) -> None:
    if as_json:
        tell(json.dumps(summary.json, indent=2))
        return
    for remark in summary.remarks:
        say(remark)
    for line in summary.lines:
        tell(line)


def _check_places(task: Any, out: Path, force: bool, resume: bool) -> None:
    """Whether everything that a fit writes has its place, before anything is computed."""
    kept_in = run_folder_of(out)
    check_place(out, task.folder_files, task.folder_mark, replace=force or (resume and kept_in.exists()))
    check_run(kept_in, taken_up=resume or force)
    check_place(curves_folder_of(kept_in), CURVES, METRICS, replace=True)
