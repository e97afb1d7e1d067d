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

    def array(self, name: str) -> np.ndarray:
        """As float32; UnsafeFolderError if it is not there, or no floating point."""
        older = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for written in (self.prefix + name, self.prefix + older):
            found = self.layout.tensors.get(written)
            if found is not None and found.dtype.kind != "f":
                raise UnsafeFolderError(f"{self.layout.where}: {written} is {found.dtype}; weights are floating point.")
            if found is not None:
                return np.asarray(found, np.float32)
        raise UnsafeFolderError(f"{self.layout.where} has no weights {self.prefix + name}, which config.json promises.")

    def linear(self, mine: str, theirs: str) -> dict[str, np.ndarray]:
        """A weight and its bias."""
        return {f"{mine}.{part}": self.array(f"{theirs}.{part}") for part in ("weight", "bias")}
