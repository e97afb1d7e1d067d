"""What every export to files is in the end: a folder of plain files, put in place in one step."""

from dataclasses import dataclass
from pathlib import Path

from scansion.storage.atomic import only_over, put_folder

EXAMPLES = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class ExportedFolder:
    """``files``: what it holds, by name."""

    files: dict[str, bytes]

    def save(self, folder: str | Path) -> None:
        """Write it, or over an older one of the same files; StorageError for a place that anything else has taken."""
        put_folder(folder, self.files, only_over(self.files))


def example(*parts: str) -> bytes:
    """A program that reads with what was exported, put together of files that stand beside this module."""
    return b"".join((EXAMPLES / f"{part}.txt").read_bytes() for part in parts)


def reader(target: str, kind: str) -> bytes:
    """The program in Python of a target and a kind of document model."""
    return example(f"load_{target}.py", f"read_{kind}.py", "ask.py")
