"""``scansion generate``: a language model writes on."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Annotated

import typer

from scansion.cli.progress import pass_on, tell
from scansion.cli.shared_options import Model, PrecisionName, Seed
from scansion.errors import UsageError, did_you_mean
from scansion.text.corpus import NO_LIMIT
from scansion.text.encodings import read_text
from scansion.text.sources import STANDARD_INPUT, find_source

EXAMPLES = """Examples:
  scansion generate model "ROMEO:"                       the prompt, and what comes after it, as it is written
  scansion generate model "ROMEO:" --max-tokens 1000 --temperature 0.8 --random-state 7
  scansion generate model "To be" --count 5 --top-p 0.9  five texts, each behind a line that numbers it
  scansion generate model                                a whole document, from its beginning
  scansion generate model - < prompt.txt                 the prompt from standard input
  scansion generate model "Q: Why?" --stop "Q:" --json   one JSON object a text
  scansion generate model "ROMEO:" --temperature 0 --max-tokens 100 --engine ctranslate2

A text ends with its document, before a --stop, or after --max-tokens. First the penalty for repetition is applied, then
the temperature, top-k, top-p and min-p. The same seed writes the same text, alone and among others.
"""


def generate(
    model: Model,
    prompt: Annotated[str, typer.Argument(metavar="[PROMPT|-]", help="What is gone on with, or - for standard input; "
                                          "without it a document is begun.")] = "",
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="How many tokens a text may have.")] = 256,
    temperature: Annotated[float, typer.Option("--temperature", help="Below 1 likely tokens become likelier; 0 takes "
                                               "the likeliest.")] = 1.0,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Draw from so many of the likeliest tokens.")] = None,
    top_p: Annotated[float | None, typer.Option("--top-p", help="Draw from the likeliest tokens that together have "
                                                "this probability.")] = None,
    min_p: Annotated[float | None, typer.Option("--min-p", help="Draw from tokens that have at least this share of the "
                                                "likeliest one's probability.")] = None,
    repetition_penalty: Annotated[float | None, typer.Option("--repetition-penalty", help="Above 1: against tokens "
                                                             "that were there before.")] = None,
    stop: Annotated[list[str] | None, typer.Option("--stop", metavar="TEXT", help="End before this text; may be "
                                                      "repeated.")] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="How many texts.")] = 1,
    random_state: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a text, with prompt and text.")] = False,
    engine: Annotated[str | None, typer.Option("--engine", help="ctranslate2, for a Transformer: the likeliest text, "
                                               "within its context.")] = None,
    precision: PrecisionName = None,
) -> None:
    """Write on after a prompt."""
    from scansion.tasks.catalogue import opened
    from scansion.tasks.task import GenerateOptions

    kind, task, restore = opened(model)
    if task.generate is None:
        raise UsageError(f"{model} answers ({kind.about}) and does not write on. Give a language model: scansion fit "
                         "corpus.txt --out model.")
    options = GenerateOptions(
        max_tokens, temperature, top_k, top_p, min_p, repetition_penalty, tuple(stop or ()), random_state
    )
    if engine is None and precision is not None:
        raise UsageError("--precision is for another engine. Add --engine ctranslate2, or leave it out.")
    if engine is not None and engine not in task.engines:
        raise UsageError(f"There is no engine {engine!r} that writes{did_you_mean(engine, task.engines)}")
    prompt = _standard_input() if prompt == STANDARD_INPUT else prompt
    writer = restore() if engine is None else task.export(restore(), engine, precision or "float32", None)
    written = task.generate(writer, [prompt] * count, options)
    if count == 1 and not as_json:
        _stream(prompt, (each.text for each in written if each.text))
        return
    texts = [""] * count
    for each in written:
        texts[each.prompt] += each.text
    for number, text in enumerate(texts, 1):
        if as_json:
            tell(json.dumps({"prompt": prompt, "text": text}, ensure_ascii=False))
        else:
            pass_on(f"--- {number}\n{prompt}{text}")


def _stream(prompt: str, texts: Iterator[str]) -> None:
    """The prompt, and each piece of text as soon as it is there."""
    for text in chain([prompt], texts):
        pass_on(text, end="")
    print()


def _standard_input() -> str:
    """The prompt, without the line end behind it."""
    source = find_source(STANDARD_INPUT)
    return read_text(source.path, source.name, limit=NO_LIMIT).removesuffix("\n")
