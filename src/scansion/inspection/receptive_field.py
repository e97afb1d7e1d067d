"""The receptive field: which positions a position can see, measured and not believed.

One token of a document is changed at a time.  Where vectors are learned, position 4 sees position j if its own vector
moves.  Where features are counted, it sees j if some feature holds both: one that is lost whichever of the two is
changed.

    bag of words  ...#..      n-grams  .#####      LSTM  ######
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from scansion.families.catalogue import DOCUMENT_FAMILIES, configured
from scansion.learning.events import finished
from scansion.models.document_models import FittedDocuments, SparseLinearModel
from scansion.models.network_models import EncoderModel, FineTunedModel, FrozenEncoderModel
from scansion.models.pretrained_encoder import read_pretrained
from scansion.models.static_vectors import static_table
from scansion.storage.pretrained_source import default_at_hand
from scansion.text.batches import FIRST_WORD
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.word_tokenizer import read_words

DOCUMENT = ("aaa", "bbb", "ccc", "ddd", "eee", "fff")  # no letter twice, so that no two words share a piece
OTHER = "ooo"
LETTERS = "a b c d e f o"  # the same in tokens that a pretrained encoder knows
EYE = 3  # the position that looks, counted from zero
SMALLEST_CHANGE = 1e-6


def receptive_field(given: Any) -> str:
    """A character for each of six positions: ``#`` where position 4 of this family sees it, else ``.``."""
    family = configured(given, DOCUMENT_FAMILIES)
    return _drawn(MEASURED[family.reads, family.learner](family))


def receptive_field_of(fitted: FittedDocuments) -> str:
    """The same of a fitted model; empty if its tokens cannot be told apart."""
    return MEASURED_FITTED[type(fitted.model)](fitted)


def pictures() -> dict[str, str]:
    """What every family sees, by its name; those with weights of their own if these are installed."""
    return {
        name: receptive_field(name) for name, kind in DOCUMENT_FAMILIES.items()
        if kind.reads == "words" or default_at_hand()
    }


def _seen_by_counts(family: Any) -> np.ndarray:
    changed = [" ".join((*DOCUMENT[:j], OTHER, *DOCUMENT[j + 1 :])) for j in range(len(DOCUMENT))]
    whole = " ".join(DOCUMENT)
    counted = family.build()
    counted.learn(read_words([whole] * len(DOCUMENT)))  # often enough to keep every feature
    present = counted.vectors(read_words([whole, *changed])).toarray() != 0
    lost = present[0] & ~present[1:]  # (6, D)
    return (lost & lost[EYE]).any(axis=1)


def _seen_by_pieces(family: Any) -> np.ndarray:
    *words, other = LETTERS.split()
    changed = [" ".join((*words[:j], other, *words[j + 1 :])) for j in range(len(words))]
    static = family.build(finished(static_table)(family.source, float("inf")).table)
    vectors = static.of_tokens(read_words([" ".join(words), *changed]))
    looking = vectors.reshape(len(words) + 1, len(words), -1)[:, EYE]  # (7, D)
    return np.abs(looking[1:] - looking[0]).max(axis=1) > SMALLEST_CHANGE


def _seen_by_vectors(family: Any) -> np.ndarray:
    length = len(DOCUMENT)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = family.build(FIRST_WORD + length + 1).eval()
    return _moved(network, torch.arange(FIRST_WORD, FIRST_WORD + length), FIRST_WORD + length)


def _seen_by_pretrained(family: Any) -> np.ndarray:
    documents = read_pretrained(family, [LETTERS])
    return _seen_by_weights(documents.encoder().network, documents.tokenizer)


def _seen_by_weights(network: nn.Module, tokenizer: PretrainedTokenizer) -> np.ndarray:
    ids = torch.from_numpy(tokenizer.encode([LETTERS]).ids[:].astype(np.int64))
    if len(ids) <= len(DOCUMENT) or ids[EYE] == ids[len(DOCUMENT)]:
        return np.zeros(0, bool)
    return _moved(network.eval(), ids[: len(DOCUMENT)], int(ids[len(DOCUMENT)]))


def _drawn(seen: np.ndarray) -> str:
    return "".join("#" if position else "." for position in seen)


def _moved(network: nn.Module, whole: Tensor, other: int) -> np.ndarray:
    """Where another token in place of one of ``whole (6,)`` moves the fourth position's vector, (6,)."""
    changed = whole.repeat(len(whole), 1).fill_diagonal_(other)
    tokens = torch.cat([whole[None], changed])
    with torch.inference_mode():
        vectors = network(tokens, torch.ones_like(tokens, dtype=torch.bool))[:, EYE]  # (7, D)
    return ((vectors[1:] - vectors[0]).abs().amax(dim=1) > SMALLEST_CHANGE).numpy()


def _of_frozen(fitted: FittedDocuments) -> str:
    model = cast(FrozenEncoderModel, fitted.model)
    return _drawn(_seen_by_weights(model.vectors.encoder.network, model.tokenizer))


def _of_fine_tuned(fitted: FittedDocuments) -> str:
    model = cast(FineTunedModel, fitted.model)
    return _drawn(_seen_by_weights(model.network.encoder, model.tokenizer))


MEASURED: dict[tuple[str, str], Callable[[Any], np.ndarray]] = {
    ("words", "convex"): _seen_by_counts, ("words", "gradient"): _seen_by_vectors,
    ("word pieces", "convex"): _seen_by_pieces,
    ("subwords", "convex"): _seen_by_pretrained, ("subwords", "gradient"): _seen_by_pretrained,
}
"""By what a family reads and how it learns."""

MEASURED_FITTED: dict[type, Callable[[FittedDocuments], str]] = {
    SparseLinearModel: lambda fitted: receptive_field(fitted.family),
    EncoderModel: lambda fitted: receptive_field(fitted.family),
    FrozenEncoderModel: _of_frozen,
    FineTunedModel: _of_fine_tuned,
}
