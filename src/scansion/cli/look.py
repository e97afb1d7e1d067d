"""``scansion look``: what models do with one text, as an offline page."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from scansion.cli.options import Json
from scansion.cli.telling import say
from scansion.errors import UsageError, did_you_mean
from scansion.text.documents import read_lines

STANDARD_INPUT = "-"
SHOWN = 5

EXAMPLES = """Examples:
  scansion look model "a quiet marvel"                     writes look.html
  scansion look bag lstm transformer "a quiet marvel"      several models on one axis
  scansion look model "a quiet marvel" --answer negative   what speaks for another label
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
                                        "time: the part whose attention is shown.")] = 1,
    as_json: Json = False,
) -> None:
    """See what models do with one text."""
    *folders, text = models_and_text
    if not folders:
        raise UsageError("A model and a text are needed: scansion look model 'some text'.")
    from scansion.tasks.loading import load
    from scansion.viewer.files import check_arrays, check_page

    check_page(out)
    if npz is not None:
        check_arrays(npz)

    models = [load(folder) for folder in folders]
    text = "\n".join(read_lines(STANDARD_INPUT).texts) if text == STANDARD_INPUT else text
    if any(hasattr(model, "translate") for model in models):
        found = _translation(models, text, answer, translation, window)
        told = {"source": found.source, "target": found.target, "alignment": found.alignment().tolist()}
    else:
        if translation is not None:
            raise UsageError("--translation is for translators. To choose a label, give --answer.")
        found = _documents(models, text, answer, window)
        told = {"text": text, "words": list(found.words), "models": [_told(each) for each in found.models]}
    found.save(out, npz)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    elif "target" in told:
        print(found.target)
    else:
        for each in found.models:
            print(_line(each, found.words))
    say(f"{out}: open it in a browser." + ("" if npz is None else f" {npz}: the arrays."))


def _documents(models: list[Any], text: str, answer: str | None, window: int) -> Any:
    from scansion.tasks.looking import look as look_at

    labels = {str(label): label for label in getattr(models[0], "classes_", [])}
    if answer is not None and answer not in labels:
        if not labels:
            raise UsageError("The first model answers with numbers. Leave out --answer.")
        raise UsageError(f"There is no label {answer!r}{did_you_mean(answer, labels)}")
    return look_at(models, text, labels.get(answer), window)


def _translation(models: list[Any], text: str, answer: str | None, translation: str | None, window: int) -> Any:
    if len(models) > 1:
        raise UsageError("One translator is looked at at a time. Name one.")
    if answer is not None or window != 1:
        raise UsageError("--answer and --window are for models of documents. For a translator give --translation.")
    return models[0].look(text, translation)


def _told(model: Any) -> dict[str, Any]:
    return {
        "family": model.name, "decision": model.decision, "answer": model.answer, "probability": model.probability,
        "score": model.score, "base": model.base, "contributions": model.contributions.tolist(),
        "completeness_error": model.completeness_error,
        "removals": [[each.first, each.last, each.effect] for each in model.removals],
        "head_effects": None if model.attention is None else model.attention.effects.tolist(),
    }


def _line(model: Any, words: tuple[str, ...]) -> str:
    """``lstm  positive 0.970   moving +1.2  plot -0.4``: the words that add and take away most."""
    order = sorted(range(len(words)), key=lambda i: -abs(model.contributions[i]))[:SHOWN]
    most = "  ".join(f"{words[i]} {model.contributions[i]:+.2f}" for i in order)
    value = model.score if model.probability is None else round(model.probability, 4)
    return f"{model.name}\t{model.answer}\t{value:.6g}\t{most}"
