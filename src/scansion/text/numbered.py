"""Words or other strings by their place, and the place of each."""

from functools import cached_property

import numpy as np


class Numbered(list[str]):
    """Strings in order, which stay as they are: where each stands is found out once, not for every text."""

    @cached_property
    def number(self) -> dict[str, int]:
        """The place of each."""
        return {each: place for place, each in enumerate(self)}

    def places(self, strings: list[str]) -> np.ndarray:
        """Where each of some strings stands, -1 where it does not; int32 (strings,)."""
        return np.fromiter((self.number.get(each, -1) for each in strings), np.int32, len(strings))

    def __getstate__(self) -> None:
        """A copy is its strings alone."""
