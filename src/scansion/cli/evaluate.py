"""``scansion evaluate``: the scores of a model on data with answers, with intervals."""

import json
from typing import Annotated

import typer

from scansion.cli.progress import say, tell
from scansion.cli.shared_options import (
    AtLeast,
    AtMost,
    Beam,
    DocumentsAre,
    EncodingName,
    Json,
    LabelSeparator,
    MaxBad,
    Model,
    Separator,
    SheetName,
    TargetColumn,
    TextColumn,
)
from scansion.cli.threshold import check_threshold
from scansion.text.rows import FileOptions

EXAMPLES = """Examples:
  scansion evaluate model held-out.csv
  scansion evaluate topics held-out.csv --label-separator ';'    several labels in a cell; by default as in training
  scansion evaluate translator test.en test.de                   BLEU and chrF
  scansion evaluate model held-out.csv --at-least 0.8 --json     exit code 3 if accuracy is below 0.8
"""


def evaluate(
    model: Model,
    data: Annotated[list[str], typer.Argument(metavar="DATA [TARGET]", help="A table with answers; for a translator "
                                              "two files, texts and their translations.")],
    text: TextColumn = None,
    target: TargetColumn = None,
    separator: Separator = None,
    encoding: EncodingName = None,
    sheet: SheetName = None,
    label_separator: LabelSeparator = None,
    max_bad: MaxBad = None,
    documents: DocumentsAre = None,
    beam: Beam = None,
    at_least: AtLeast = None,
    at_most: AtMost = None,
    as_json: Json = False,
) -> None:
    """Score a model on documents whose answers are known."""
    from scansion.tasks.catalogue import opened, read_dataset
    from scansion.tasks.task import ReadOptions

    task, fitted, restore = opened(model)
    task.check_options("evaluate", {
        "--text": text, "--target": target, "--label-separator": label_separator, "--beam": beam,
        "--separator": separator, "--encoding": encoding, "--sheet": sheet, "--documents": documents,
        "--at-most": at_most,
    })
    given = ReadOptions(
        text, target, None, None, label_separator, max_bad, FileOptions(separator, encoding, sheet), documents=documents
    )
    fitted.check_named(data, given)
    estimator = restore()
    options = fitted.read_options(estimator, given)
    _, dataset = read_dataset(task, data, options)
    for remark in dataset.remarks:
        say(remark)
    evaluation = fitted.evaluate(estimator, str(model), dataset, beam)
    for remark in evaluation.summary.remarks:
        say(remark)
    if as_json:
        tell(json.dumps(evaluation.summary.json, indent=2))
    else:
        for line in evaluation.summary.lines:
            tell(line)
    check_threshold(evaluation.metric, evaluation.score, at_least, at_most, evaluation.metric.name)
