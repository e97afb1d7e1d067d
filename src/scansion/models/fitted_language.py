"""What a language model has learned: units of text, and the probability of the next one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from scansion.learning.description import FitDescription
from scansion.spill import Flat
from scansion.text.batches import Sequences
from scansion.text.columns import UNNAMED, InputColumns
from scansion.text.corpus import ENDS
from scansion.text.text_units import TextUnits


class NextTokenModel(Protocol):
    """The probability of the next token after all that stand before it in its document.

    Documents are read between BEGIN and END; what belongs to a state is its own affair.
    """

    kind: ClassVar[str]
    """Under which the tables of folders have it."""

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        ...

    @property
    def context(self) -> int | None:
        """Tokens that a prediction depends on at most; None for all before it."""
        ...

    def log_probabilities(self, stream: Flat) -> NDArray:
        """Natural logarithms (N,) for a stream of whole documents; 0 for every BEGIN."""
        ...

    def start(self, rows: int) -> Any:
        """The state of so many documents of which nothing was read yet."""
        ...

    def step(self, last: NDArray, state: Any) -> tuple[NDArray, Any]:
        """The log-probabilities (B, V) of what follows the tokens ``last`` (B,), and the state then."""
        ...

    def read(self, rows: Sequence[NDArray]) -> Any:
        """The state after tokens (L,) of each document, the first of which is its BEGIN."""
        ...

    def only(self, state: Any, rows: NDArray) -> Any:
        """The given rows (M,) of a state."""
        ...

    def state(self) -> dict[str, NDArray]:
        """All that was learned, by name; see :data:`scansion.models.language_folder.RESTORED`."""
        ...


@dataclass(frozen=True)
class FittedLanguage:
    """A fitted language model: what folders, writing and the command take, and the estimator holds."""

    description: FitDescription
    units: TextUnits
    model: NextTokenModel
    documents: str = "rows"
    """What a document was, see :data:`scansion.text.corpus.ENDS`."""
    columns: InputColumns = UNNAMED
    """Where its texts stood, if that was a table."""
    network: Any = None
    """What the family pretrained has found in a folder."""

    @property
    def family(self) -> Any:
        """The family's configuration."""
        return self.description.family

    def encode(self, texts: Iterable[str]) -> Sequences:
        """Tokens of documents, each between BEGIN and END."""
        return self.units.encode(texts)

    def bits(self, sequences: Sequences) -> NDArray:
        """What every token takes, in the stream of ``sequences``, (N,); a BEGIN takes nothing."""
        return np.abs(self.model.log_probabilities(sequences.ids)) / np.log(2)

    def signature(self, documents: str) -> str:
        """The rules that a score of documents was measured by, in the manner of sacreBLEU's."""
        context = self.model.context
        return "|".join((
            f"tokens:{self.units.name}", f"vocabulary:{len(self.units)}", f"unknown:{self.units.unknown}",
            f"documents:{documents}", f"end:scored, {len(ENDS[documents])} B", "line ends:LF",
            f"context:{'the document' if context is None else f'{context} tokens of the document'}",
        ))


def document_sizes(texts: Iterable[str], documents: str) -> NDArray:
    """The bytes of every document and of what ends it, (N,)."""
    end = len(ENDS[documents])
    return np.array([len(text.encode("utf-8", "surrogatepass")) + end for text in texts], np.int64)


