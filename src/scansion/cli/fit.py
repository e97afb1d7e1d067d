"""``scansion fit``: train one model."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from scansion.cli.options import (
    Budget,
    ClassWeight,
    Data,
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
from scansion.cli.reading import Columns, answers, read
from scansion.cli.telling import Telling, say
from scansion.errors import UsageError, did_you_mean
from scansion.storage.limits import MANIFEST, MOST_FILE_BYTES

EXAMPLES = """Examples:
  scansion fit reviews.csv --family n-grams --out model
  scansion fit train.jsonl --family lstm --set width=256 --set dropout=0.4 --budget 10m --out model
  scansion fit labelled-folder/ --family bag-of-words --class-weight balanced --out model
"""


def fit(
    data: Data,
    family: Annotated[str, typer.Option("--family", help="Which one; scansion families lists them.")],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="The model folder to write.")],
    text: TextColumn = None,
    target: TargetColumn = None,
    task: Task = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="An option of the "
                                                          "family, such as width=256; may be repeated. "
                                                          "scansion families lists them.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is already there.")] = False,
    budget: Budget = None,
    class_weight: ClassWeight = None,
    processes: Processes = None,
    random_state: Seed = 0,
    as_json: Json = False,
) -> None:
    """Train one family on a table and write a model folder."""
    from scansion.families.catalogue import family_from
    from scansion.learning.gradient import Step
    from scansion.learning.readers import Epoch
    from scansion.tasks.documents import DocumentClassifier, DocumentRegressor

    check_place(out, frozenset(MOST_FILE_BYTES), MANIFEST, replace=force)
    configured = with_settings(family_from(family), settings or [])
    documents = read(data, Columns(text, target, None, task, label_separator, max_bad), class_weight)
    shared: dict[str, Any] = {"budget": budget, "processes": processes, "random_state": random_state}
    if documents.task == "regress":
        estimator = DocumentRegressor(configured, **shared)
    else:
        estimator = DocumentClassifier(configured, class_weight=class_weight, **shared)
    with Telling() as telling:
        for event in estimator.fitting(documents.texts, answers(documents)):
            if isinstance(event, Step):
                telling.now(f"epoch {event.epoch + 1}, loss {event.loss:.3f}", event.progress)
            elif isinstance(event, Epoch):
                telling.done(f"epoch {event.number} of {event.of}: training loss {event.training_loss:.3f}, held-out "
                             f"error {event.held_out_error:.3f} ({event.seconds:.0f} s)")
            else:
                telling.now(event.doing)
    estimator.save(out)
    _print(estimator, family, out, documents.task, as_json)


def with_settings(family: Any, settings: list[str]) -> Any:
    """A family's configuration with ``OPTION=VALUE`` settings, checked against the kind of each default."""
    known = asdict(family)
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or name not in known:
            raise UsageError(f"--set takes OPTION=VALUE, and this family has no option {name!r}"
                             f"{did_you_mean(name, known)}")
        family = replace(family, **{name: _typed(name, value, known[name])})
    return family


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
            "fit_seconds": report.seconds, "parameters": report.parameters,
        }, indent=2))
        return
    for note in report.notes:
        say(note)
    score = ""
    if valid is not None:
        value, low, high = (percent(number, report.measure) for number in (valid.score, valid.low, valid.high))
        score = f" {report.measure.replace('_', ' ')} on rows kept back: {value} ({low} to {high})."
    print(f"{out}: {family}, {report.parameters:,} parameters, {report.seconds:.1f} s.{score}")
