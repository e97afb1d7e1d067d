"""What can be shown: a page for a browser or a notebook, and the arrays behind it."""

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from markupsafe import Markup

from scansion.viewer.files import write_arrays, write_page

FRAME_HEIGHT = 760


class Page(ABC):
    """Something found that has a page; show it in a notebook, or :meth:`save` it."""

    @abstractmethod
    def html(self) -> str:
        """The page: one file that needs nothing else."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """What is drawn there, in full precision."""

    def save(self, path: str | Path, arrays: str | Path | None = None) -> None:
        """Write the page, and the arrays into an ``.npz`` file.

        UsageError if something else is in the way, StorageError if it cannot be written.
        """
        write_page(Path(path), self.html())
        if arrays is not None:
            write_arrays(Path(arrays), self.arrays())

    def _repr_html_(self) -> str:
        return framed(self.html(), FRAME_HEIGHT)


def framed(document: str, height: int) -> str:
    """A page inside a notebook's: a frame of its own, so that neither's styles and scripts meet the other's."""
    return str(Markup(
        '<iframe srcdoc="{}" sandbox="allow-scripts" title="scansion" loading="lazy" '
        'style="width: 100%; height: {}px; border: 0"></iframe>'
    ).format(document, height))
