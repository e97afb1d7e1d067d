"""What every engine does alike: texts in, their best translations out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from scansion.decoding.beam import BEAM
from scansion.decoding.state import Hypothesis
from scansion.text.batches import Sequences
from scansion.text.subwords import Subwords


class Engine(ABC):
    """Runs a trained translator that writes with ``subwords``."""

    subwords: Subwords

    @abstractmethod
    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """The best hypotheses of every source, best first, in the order given.

        DataError for a source of more pieces than the model reads.
        """

    def predict(self, texts: Iterable[str], beam: int | None = None) -> list[str]:
        """The best translation of each text, in the order given; of a text without a word, nothing."""
        texts = list(texts)
        found = self.hypotheses(self.subwords.encode(texts), beam or BEAM, 1)
        written = self.subwords.decode([each[0].tokens for each in found])
        return [translation if text.strip() else "" for text, translation in zip(texts, written, strict=True)]
