"""The shipped data, and texts without answers for a verb."""

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from scansion.cli.progress import say
from scansion.text.documents import read_documents
from scansion.viewer.number_format import counted

DEMO_SPLIT = "split_textgcn"


def read_unlabelled(path: str | None, text: str | None) -> Iterable[str] | None:
    """Texts without answers, told on standard error; a table's if its columns can be told apart, else plain lines."""
    if path is None:
        return None
    documents = read_documents(path, text=text, with_target=False)
    say(f"{documents.name}: {counted(len(documents), 'document')} without answers, to pretrain on.")
    return documents.texts


def demo() -> str:
    """The shipped film review sentences (Pang and Lee 2005, CC BY 4.0)."""
    return str(Path(str(files("scansion"))) / "demo" / "mr.tsv.gz")
