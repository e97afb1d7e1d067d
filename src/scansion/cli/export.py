"""``scansion export``: a model in another program's format."""

import os
from pathlib import Path
from typing import Annotated

import typer

from scansion.cli.progress import say
from scansion.cli.shared_options import Model, PrecisionName
from scansion.errors import UsageError, did_you_mean

EXAMPLES = """Examples:
  scansion export model --to onnx --out folder                  for onnxruntime: other languages, browsers, phones
  scansion export model --to keras --out folder                 for Keras on TensorFlow, JAX or PyTorch
  scansion export model --to arpa --out model.arpa              n-grams, for KenLM and its kind
  scansion export model --to huggingface --out folder           a Transformer that writes, for transformers
  scansion export model --to ctranslate2 --out folder           a Transformer, for CTranslate2, in float32 or with
                                                                --precision int8
"""


def export(
    model: Model,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="onnx and keras for models of "
                                    "documents, onnx and ctranslate2 for translators, onnx, ctranslate2, huggingface "
                                    "and arpa for language models.")],
    out: Annotated[Path, typer.Option("--out", metavar="PLACE", help="The file or folder to write.")],
    precision: PrecisionName = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is already there.")] = False,
) -> None:
    """Write a model in another program's format."""
    from scansion.tasks.catalogue import opened

    kind, task, restore = opened(model)
    if to not in task.formats:
        known = did_you_mean(to, task.formats) if task.formats else "."
        raise UsageError(f"{model} ({kind.about}) cannot be written as {to!r}{known}")
    if os.path.lexists(out) and not force:
        raise UsageError(f"{out} exists already. Choose another place, or replace it with --force.")
    task.export(restore(), to, precision or "float32", None).save(out)
    say(f"{model} is in {out}, as {to}.")
