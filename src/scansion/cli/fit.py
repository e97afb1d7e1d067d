"""``scansion fit``: train one model."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from scansion.cli.encoder import TASK as ENCODER
from scansion.cli.encoder import check_encoder, fit_encoder
from scansion.cli.following import follow
from scansion.cli.options import (
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
from scansion.cli.reading import Columns, answers, read, read_unlabelled
from scansion.cli.stopping import heeding
from scansion.cli.telling import Telling, say
from scansion.cli.translation import check_options, fit_translator, tell_translator
from scansion.errors import InterruptedRunError, UsageError, did_you_mean
from scansion.storage.layout import FILES
from scansion.storage.limits import CONFIG, MANIFEST, MOST_FILE_BYTES
from scansion.storage.metrics import CURVES, METRICS, curves_folder_of
from scansion.storage.runs import check_run, run_folder_of

EXAMPLES = """Examples:
  scansion fit reviews.csv --family n-grams --out model
  scansion fit train.jsonl --family lstm --set width=256 --set dropout=0.4 --budget 10m --out model
  scansion fit labelled-folder/ --family bag-of-words --class-weight balanced --out model
  scansion fit train.jsonl --family lstm --out model --resume
  scansion fit tickets.csv --family pretrained --mode frozen --out model
  scansion fit few.csv --family transformer --pretrain own --unlabelled many.txt --out model
  scansion fit corpus.txt --task encoder --out encoder           pretrained weights of your own, for --from
  scansion fit train.en train.de --valid val.en val.de --family transformer --out translator

While a reader trains, model.run keeps a checkpoint every minute, and one more on Ctrl-C or SIGTERM; the same command
with --resume goes on from there and ends with the very weights it would have had. A second Ctrl-C stops at once.
Meanwhile model.run/curves.svg shows how it goes, and model.curves/curves.svg in the end.
"""


def fit(
    data: Annotated[list[str], typer.Argument(metavar="DATA [TARGET]", help="A table (.csv .tsv .jsonl .parquet, each "
                                              "also .gz), a folder with a sub-folder per label, or - for standard "
                                              "input. Two plain files of as many lines: texts and their "
                                              "translations.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="The model folder to write.")],
    family: Annotated[str | None, typer.Option("--family", help="Which one; scansion families lists them. Not with "
                                               "--task encoder.")] = None,
    text: TextColumn = None,
    target: TargetColumn = None,
    valid: Annotated[tuple[str, str] | None, typer.Option("--valid", metavar="SOURCE TARGET", help="For a translator: "
                                                          "the pairs to choose the epoch on.")] = None,
    task: Task = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="An option of the "
                                                          "family, such as width=256; may be repeated. "
                                                          "scansion families lists them.")] = None,
    source: From = None,
    mode: Mode = None,
    pretrain: Pretrain = None,
    unlabelled: Unlabelled = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model, or an unfinished run, that is already "
                                        "there.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the unfinished run beside MODEL; where there is "
                                         "none, begin one.")] = False,
    checkpoint_every: Annotated[float, typer.Option("--checkpoint-every", metavar="SECONDS", min=0.0, help="How often "
                                                    "a reader's run is kept while it trains.")] = 60.0,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train one family on a table, on two files of parallel text or, an encoder, on texts; and write a model folder."""
    from scansion.tasks.keeping import Keeping

    kept_in, encoder = run_folder_of(out), task == ENCODER
    ours, mark = (frozenset(FILES), CONFIG) if encoder else (frozenset(MOST_FILE_BYTES), MANIFEST)
    check_place(out, ours, mark, replace=force or (resume and kept_in.exists()))
    check_run(kept_in, taken_up=resume or force)
    check_place(curves_folder_of(kept_in), CURVES, METRICS, replace=True)
    keeping = Keeping(kept_in, resume, force, checkpoint_every)
    of_tables = {"--target": target, "--class-weight": class_weight, "--label-separator": label_separator,
                 "--from": source, "--mode": mode, "--pretrain": pretrain, "--unlabelled": unlabelled}
    shared: dict[str, Any] = {"budget": budget, "processes": processes, "random_state": random_state}
    if encoder:
        check_encoder(data, {"--family": family, "--valid": valid, **of_tables})
        with how_to_go_on():
            fit_encoder(data[0], text, _sizes(settings or []), shared, keeping, out, as_json)
        return
    if family is None:
        raise UsageError("Which family? Give --family; scansion families lists them.")
    check_options(data, valid, {"--text": text, "--task": task, **of_tables})
    if len(data) > 1:
        _fit_translator(data, valid, family, settings or [], max_bad, shared, keeping, out, as_json)
        return
    _fit_documents(
        data[0], Columns(text, target, None, task, label_separator, max_bad), family, settings or [],
        (source, mode), (pretrain, unlabelled), class_weight, shared, keeping, out, as_json,
    )


def _fit_translator(
    data: list[str], valid: tuple[str, str] | None, family: str, settings: list[str], max_bad: float | None,
    shared: dict[str, Any], keeping: Any, out: Path, as_json: bool,
) -> None:
    from scansion.families.catalogue import writer_from

    configured = with_settings(writer_from(family), settings)
    with how_to_go_on():
        translator = fit_translator(data, valid, configured, max_bad, shared, keeping, out)
    tell_translator(translator, family, out, as_json)


def _fit_documents(
    data: str, columns: Columns, family: str, settings: list[str], weights: tuple[str | None, str | None],
    before: tuple[str | None, str | None], class_weight: str | None, shared: dict[str, Any], keeping: Any, out: Path,
    as_json: bool,
) -> None:
    """``weights``: where pretrained ones are from and how they are used; ``before``: what is learned first, on what."""
    from scansion.families.catalogue import family_from
    from scansion.tasks.documents import DocumentClassifier, DocumentRegressor

    configured = with_settings(borrowing(family_from(family), *weights), settings)
    documents = read(data, columns, class_weight)
    more = read_unlabelled(before[1], columns.text)
    if documents.task == "regress":
        estimator = DocumentRegressor(configured, pretrain=before[0], **shared)
    else:
        estimator = DocumentClassifier(configured, class_weight=class_weight, pretrain=before[0], **shared)
    warn_of_one_label(documents.task, answers(documents))
    with keeping, Telling() as telling, heeding(keeping.stop), how_to_go_on():
        follow(estimator.fitting(documents.texts, answers(documents), unlabelled=more, keeping=keeping), telling)
        estimator.save(out)
        for sentence in keeping.finish():
            telling.done(sentence)
    _print(estimator, family, out, documents.task, as_json)


def _sizes(settings: list[str]) -> Any:
    from scansion.tasks.encoder import OWN_SIZES

    return with_settings(OWN_SIZES, settings)


def warn_of_one_label(task: str | None, targets: list[Any]) -> None:
    """Said, and no error: a model of one label is a model."""
    if task == "classify" and len(set(targets)) == 1:
        say("Warning: every document has the same label; there is nothing to learn from them.")


@contextmanager
def how_to_go_on() -> Iterator[None]:
    """Add to the message of a run that was stopped what to do next."""
    try:
        yield
    except InterruptedRunError as error:
        error.args = (f"{error} Go on with the same command and --resume.",)
        raise


def with_settings(family: Any, settings: list[str]) -> Any:
    """A family's configuration with ``OPTION=VALUE`` settings, checked against the kind of each default."""
    known = asdict(family)
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name not in known:
            raise UsageError(f"This family has no option {name!r}{did_you_mean(name, known)}")
        if not equals:
            raise UsageError(f"--set takes OPTION=VALUE, such as {name}={known[name]}; got {setting!r}.")
        family = replace(family, **{name: _typed(name, value, known[name])})
    return family


def borrowing(family: Any, source: str | None, mode: str | None) -> Any:
    """A family's configuration with where its weights are from and how they are used, if that was said."""
    given = {name: value for name, value in (("source", source), ("mode", mode)) if value is not None}
    if given and not hasattr(family, "source"):
        raise UsageError("--from and --mode are for the family pretrained; leave them out, or name that family.")
    return replace(family, **given)


def _typed(name: str, value: str, default: Any) -> Any:
    if isinstance(default, bool):
        if value.lower() not in ("true", "false"):
            raise UsageError(f"--set {name} takes true or false, got {value!r}.")
        return value.lower() == "true"
    try:
        return type(default)(value)
    except ValueError as error:
        raise UsageError(f"--set {name} takes a number like {default}, got {value!r}.") from error


def _print(estimator: Any, family: str, out: Path, task: str | None, as_json: bool) -> None:
    from scansion.comparison.figures import percent

    report = estimator.fit_report_
    valid = report.validation
    if as_json:
        validation = None if valid is None else {"score": valid.score, "low": valid.low, "high": valid.high}
        print(json.dumps({
            "model": str(out), "task": task, "family": family, "metric": report.measure, "validation": validation,
            "fit_seconds": report.seconds, "parameters": report.parameters, "notes": list(report.notes),
        }, indent=2))
        return
    for note in report.notes:
        say(note)
    score = ""
    if valid is not None:
        value, low, high = (percent(number, report.measure) for number in (valid.score, valid.low, valid.high))
        score = f" {report.measure.replace('_', ' ')} on rows kept back: {value} ({low} to {high})."
    print(f"{out}: {family}, {report.parameters:,} parameters, {report.seconds:.1f} s.{score}")
