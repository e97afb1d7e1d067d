"""What every engine does alike: texts in, their best translations out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from scansion.decoding.beam import BEAM
from scansion.decoding.state import Hypothesis
from scansion.errors import UsageError
from scansion.text.batches import Sequences
from scansion.text.pairs import is_empty
from scansion.text.subword_tokenizer import SubwordTokenizer


class TranslationEngine(ABC):
    """Runs a trained translator that writes with ``tokenizer``."""

    tokenizer: SubwordTokenizer

    @abstractmethod
    def hypotheses(self, sources: Sequences, beam: int, alternatives: int) -> list[list[Hypothesis]]:
        """The best hypotheses of every source, best first, in the order given.

        DataError for a source of more subwords than the model reads.
        """

    def predict(self, texts: Iterable[str], beam: int | None = None) -> list[str]:
        """The best translation of each text, in the order given, by a beam of ``BEAM`` unless it is said."""
        texts = emptied(texts)
        found = self.hypotheses(self.tokenizer.encode(texts), checked_beam(beam), 1)
        return self.written(texts, [each[0].tokens for each in found])

    def written(self, texts: Sequence[str], tokens: Sequence[Sequence[int]]) -> list[str]:
        """What was written for each text; for an empty one nothing, whatever the model makes of it."""
        found = self.tokenizer.decode(tokens)
        return [translation if text else "" for text, translation in zip(texts, found, strict=True)]


def emptied(texts: Iterable[str]) -> list[str]:
    """The texts; of those in which there is nothing to read, nothing is left."""
    return ["" if is_empty(text) else text for text in texts]


def checked_beam(beam: int | None) -> int:
    """How many hypotheses to follow. UsageError for what is no number of them."""
    if beam is None:
        return BEAM
    if not isinstance(beam, int) or isinstance(beam, bool) or beam < 1:
        raise UsageError(f"A beam is a whole number of hypotheses, at least 1; got {beam!r}.")
    return beam
