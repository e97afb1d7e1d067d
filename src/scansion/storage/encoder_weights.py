"""Tensors by the names of the bare encoder, whatever they are called in the model that they were saved from."""

import numpy as np

from scansion.errors import UnsafeFolderError, shown
from scansion.storage.huggingface_layout import Layout


class EncoderWeights:
    """``landmark`` is the name of a tensor that every encoder has: what stands before it there stands before all."""

    def __init__(self, layout: Layout, landmark: str) -> None:
        """UnsafeFolderError if there are several."""
        self.layout = layout
        prefixes = [name.removesuffix(landmark) for name in layout.tensors if f".{name}".endswith(f".{landmark}")]
        if len(prefixes) > 1:
            raise UnsafeFolderError(
                f"{layout.where} has several encoders, {' and '.join(shown(each + landmark) for each in prefixes)}. "
                "Save the one you want by itself."
            )
        self.prefix = prefixes[0] if prefixes else ""

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor that is not read yet; UnsafeFolderError if it is not there."""
        return self.layout.tensors.entry(self._written(name)).shape

    def array(self, name: str, *shape: int, mine: str = "") -> np.ndarray:
        """As float32; UnsafeFolderError if it is not there, no floating point, or, told before it is read, too large.

        ``mine``: the name in our network, for messages.
        """
        written = self._written(name)
        entry = self.layout.tensors.entry(written)
        if entry.read.kind != "f":
            raise UnsafeFolderError(f"{self.layout.where}: {written} is {entry.read}; weights are floating point.")
        if shape and entry.shape != shape:
            raise UnsafeFolderError(
                f"{self.layout.where}: config.json asks for {shape} numbers in {mine or written}, and the weights have "
                f"{entry.shape}."
            )
        return np.asarray(self.layout.tensors[written], np.float32)

    def linear(self, mine: str, theirs: str, *shape: int) -> dict[str, np.ndarray]:
        """A weight of this shape and its bias."""
        return {
            f"{mine}.{part}": self.array(f"{theirs}.{part}", *shape[:most], mine=f"{mine}.{part}")
            for part, most in (("weight", 2), ("bias", 1))
        }

    def _written(self, name: str) -> str:
        older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for written in (self.prefix + name, self.prefix + older):
            if written in self.layout.tensors:
                return written
        raise UnsafeFolderError(f"{self.layout.where} has no weights {self.prefix + name}, which config.json promises.")
