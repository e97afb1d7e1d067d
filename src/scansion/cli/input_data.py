"""The shipped data, and texts without answers for a verb."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from scansion.cli.progress import say
from scansion.text.documents import read_documents
from scansion.viewer.number_format import counted

DEMO_SPLIT = "split_textgcn"


def read_unlabelled(path: str | None, options: Any) -> Iterable[str] | None:
    """Texts without answers, told on standard error; a table's, from the columns of the others, or plain lines."""
    if path is None:
        return None
    documents = read_documents(
        path, text=options.text, with_target=False, remembered=options.remembered, file=options.file
    )
    say(f"{documents.name}: {counted(len(documents), 'document')} without answers, to pretrain on. {documents.reason}")
    return documents.texts


def demo() -> str:
    """The shipped film review sentences (Pang and Lee 2005, CC BY 4.0)."""
    return str(Path(str(files("scansion"))) / "demo" / "mr.tsv.gz")
