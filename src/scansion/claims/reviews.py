"""The shipped film review sentences (Pang and Lee 2005), as texts and labels."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from scansion.randomness import stream
from scansion.text.documents import read_documents


@dataclass(frozen=True)
class Reviews:
    """Texts and their labels."""

    texts: list[str]
    labels: list[str]

    def some(self, rows: int, seed: int) -> "Reviews":
        """So many, drawn at random."""
        drawn = stream(seed, "reviews").permutation(len(self.texts))[:rows].tolist()
        return Reviews([self.texts[i] for i in drawn], [self.labels[i] for i in drawn])

    def __len__(self) -> int:
        return len(self.texts)


@cache
def reviews() -> tuple[Reviews, Reviews]:
    """For training and for the test, as they are shipped, each in an order drawn once."""
    path = Path(str(files("scansion"))) / "demo" / "mr.tsv.gz"
    found = read_documents(str(path), split="split_textgcn")
    parts = {name: Reviews([], []) for name in ("train", "test")}
    for text, label, part in zip(found.texts, found.targets, found.splits, strict=True):
        parts[part].texts.append(text)
        parts[part].labels.append(str(label))
    return parts["train"].some(len(parts["train"]), 0), parts["test"].some(len(parts["test"]), 0)
