"""``scansion look``: what models do with one text, as an offline page."""

import json
from pathlib import Path
from typing import Annotated

import typer

from scansion.cli.progress import say, tell
from scansion.cli.shared_options import Json
from scansion.errors import UsageError
from scansion.text.documents import read_lines
from scansion.viewer.files import check_arrays, check_page

STANDARD_INPUT = "-"
FIRST = 1

EXAMPLES = """Examples:
  scansion look model "a quiet marvel"                     writes look.html
  scansion look bag lstm transformer "a quiet marvel"      several models on one axis
  scansion look model "a quiet marvel" --answer negative   what is in favour of another label
  scansion look translator "a man in a hat" --npz look.npz and the weights of attention as they are
  scansion look model - < review.txt                       the text from standard input

The page is one file that needs no network. Attention is not an explanation: beside it stand what each word adds to
the answer, and what the answer loses without a word or a head.
"""


def look(
    models_and_text: Annotated[list[str], typer.Argument(metavar="MODEL... TEXT", help="Model folders, and then one "
                                                         "text, or - for standard input.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write.")] = Path("look.html"),
    npz: Annotated[Path | None, typer.Option("--npz", metavar="FILE", help="Write the arrays too, in full "
                                             "precision.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="The label whose score is looked at; by default the "
                                               "one the first model gives.")] = None,
    translation: Annotated[str | None, typer.Option("--translation", metavar="TEXT", help="Of a translator: what it "
                                                    "is made to write; by default its best translation.")] = None,
    window: Annotated[int, typer.Option("--window", min=1, help="Of a text that is longer than a model reads at a "
                                        "time: the part whose attention is shown.")] = FIRST,
    as_json: Json = False,
) -> None:
    """See what models do with one text."""
    *folders, text = models_and_text
    if not folders:
        raise UsageError("A model and a text are needed: scansion look model 'some text'.")
    from scansion.tasks.catalogue import TASKS, fitted_task, load
    from scansion.tasks.task import LookOptions

    check_page(out)
    if npz is not None:
        check_arrays(npz)

    models = [load(folder) for folder in folders]
    first = fitted_task(models[0])
    for model in models:
        TASKS[model.task].check_options("look", {
            "--answer": answer, "--translation": translation, "--window": None if window == FIRST else window,
        })
        if fitted_task(model).look is not first.look:
            raise UsageError("These models answer different kinds of questions. Look at them one by one.")
    text = "\n".join(read_lines(STANDARD_INPUT).texts) if text == STANDARD_INPUT else text
    found = first.look(models, text, LookOptions(answer, translation, window))
    found.page.save(out, npz)
    if as_json:
        tell(json.dumps(found.json, ensure_ascii=False))
    else:
        for line in found.lines:
            tell(line)
    say(f"{out}: open it in a browser." + ("" if npz is None else f" {npz}: the arrays."))
