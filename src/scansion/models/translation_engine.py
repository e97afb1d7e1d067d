"""What every engine does alike: texts in, their best translations out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from scansion.decoding.beam import BEAM
from scansion.decoding.state import Hypothesis
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import SubwordTokenizer


class TranslationEngine(ABC):
    """Runs a trained translator that writes with ``tokenizer``."""

    tokenizer: SubwordTokenizer

    @abstractmethod
    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """The best hypotheses of every source, best first, in the order given.

        DataError for a source of more subwords than the model reads.
        """

    def predict(self, texts: Iterable[str], beam: int = BEAM) -> list[str]:
        """The best translation of each text, in the order given; of a text without a word, nothing."""
        texts = list(texts)
        found = self.hypotheses(self.tokenizer.encode(texts), beam, 1)
        written = self.tokenizer.decode([each[0].tokens for each in found])
        return [translation if text.strip() else "" for text, translation in zip(texts, written, strict=True)]
