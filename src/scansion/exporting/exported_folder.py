"""What every export to files is in the end: a folder of plain files, put in place in one step."""

from dataclasses import dataclass
from pathlib import Path

from scansion.storage.atomic import only_over, put_folder


VOCABULARY, EXAMPLE = "vocabulary.json", "example.py"
EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class ExportedFolder:
    """``files``: what it holds, by name."""

    files: dict[str, bytes]

    def save(self, folder: str | Path) -> None:
        """Write it, or over an older one of the same files; StorageError for a place that anything else has taken."""
        put_folder(folder, self.files, only_over(self.files))


def example(name: str) -> bytes:
    """A program that reads with what was exported, as it stands beside this module."""
    return (EXAMPLES / f"{name}.txt").read_bytes()
