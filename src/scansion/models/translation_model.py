"""What a translator has learned: an encoder-decoder and the subwords it reads and writes."""

from dataclasses import dataclass
from typing import Any

from scansion.learning.description import FitDescription
from scansion.learning.seq2seq import Seq2SeqModel
from scansion.text.subword_tokenizer import SubwordTokenizer


@dataclass(frozen=True)
class FittedTranslator:
    """A fitted translator: what folders, inspection, export and serving take, and the estimator holds."""

    description: FitDescription
    model: Seq2SeqModel
    tokenizer: SubwordTokenizer

    @property
    def family(self) -> Any:
        """The family's configuration."""
        return self.description.family

    @property
    def max_length(self) -> int | None:
        """Subwords it reads and writes at most; None for any number."""
        return self.family.max_length

    @property
    def parameters(self) -> int:
        """Weights of the network."""
        return sum(parameter.numel() for parameter in self.model.parameters())
