"""What a document model is made of, as other runtimes are told: its tokens, its arrays and its answers.

Every target takes the same inputs, so that one program reads texts for all of them:

    counted       features (B, F), counts (B, F): each feature of a text once, and how often it stands there; and with
                  static vectors pieces (B, P)
    trained       words (B, L), counts (B, L): each word of a text, and how often it stands in the whole of it;
                  char_ngrams (B, P), places (B, P): those of words that have no number, and at which word of the text
    pretrained    input_ids (B, L), attention_mask (B, L), as Hugging Face calls them

The number 0 fills rows up; where it is a token of a tokenizer's own, the mask says so.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from scansion.errors import UsageError
from scansion.families.bag_of_words import BagOfWordsVectors
from scansion.families.baseline import NoVectors
from scansion.families.bert import Bert, BertEncoder
from scansion.families.beside_static import BesideStatic
from scansion.families.ngrams import NGramsVectors
from scansion.families.static import StaticVectors
from scansion.models.document_models import FittedDocuments
from scansion.storage.strict_json import json_bytes
from scansion.text import word_pattern
from scansion.text.batches import UNKNOWN
from scansion.text.char_ngrams import CHAR_NGRAM_MARK
from scansion.text.words import WORD_RULE

Files = dict[str, bytes]
TOKENIZER = "tokenizer.json"
EVEN_CHANCE = 0.5


class Read(NamedTuple):
    """What an encoder makes of a text: the vectors of all positions (B, L, D), and the last states (B, D) if any."""

    vectors: Any
    last: Any = None


class CountedParts(NamedTuple):
    """The counted vectors and the static ones of a model, None where it has none."""

    counted: Any
    static: StaticVectors | None


PARTS: dict[type, Callable[[Any], CountedParts]] = {
    NoVectors: lambda vectors: CountedParts(None, None),
    BagOfWordsVectors: lambda vectors: CountedParts(vectors, None),
    NGramsVectors: lambda vectors: CountedParts(vectors, None),
    StaticVectors: lambda vectors: CountedParts(None, vectors),
    BesideStatic: lambda vectors: CountedParts(vectors.counted, vectors.static),
}


@dataclass(frozen=True)
class CountedArrays:
    """A counted model: feature i + 1 has the row i + 1 of ``weights`` (F + 1, K) and of ``idf`` (F + 1,).

    Features of more than ``border`` are character n-grams, which are brought to length one by themselves.  Row 0 of
    everything is nought, for what fills rows up.
    """

    idf: np.ndarray
    border: int
    weights: np.ndarray
    bias: np.ndarray
    static: "StaticArrays | None"


@dataclass(frozen=True)
class StaticArrays:
    """The piece i has the row i + 1 of ``rows`` (V + 1, D) int8 and of ``scales`` (V + 1,); ``weights`` (D, K)."""

    rows: np.ndarray
    scales: np.ndarray
    weights: np.ndarray


def counted_arrays(model: Any) -> CountedArrays:
    """The arrays of a counted model with its static vectors, if it has some."""
    parts = PARTS[type(model.vectors)](model.vectors)
    names = parts.counted.names() if parts.counted else []
    idf = parts.counted.idf if parts.counted else np.zeros(0, np.float32)
    weights, static = model.linear.weights, None
    if parts.static is not None:
        table = parts.static.table
        static = StaticArrays(
            _behind_nought(table.rows), _behind_nought(table.scales * parts.static.weights), weights[len(names) :]
        )
    border = sum(not name.startswith(CHAR_NGRAM_MARK) for name in names)
    return CountedArrays(
        _behind_nought(idf), border, _behind_nought(weights[: len(names)]), model.linear.bias, static
    )


def counted_files(fitted: FittedDocuments) -> Files:
    """The vocabulary of a counted model, and the tokenizer of its static vectors."""
    model: Any = fitted.model
    parts = PARTS[type(model.vectors)](model.vectors)
    features = parts.counted.names() if parts.counted else []
    runs = [each.count(" ") + 1 for each in features if not each.startswith(CHAR_NGRAM_MARK)]
    own = {
        "features": features, "order": max(runs, default=0), "char_ngrams": len(runs) < len(features),
        "pieces": parts.static is not None,
    }
    if parts.static is None:
        return _vocabulary(fitted, _words(fitted) | own)
    tokenizer = parts.static.table.tokenizer
    return _vocabulary(fitted, _words(fitted) | own | {"unknown_piece": tokenizer.unknown}) | {
        TOKENIZER: _whole_texts(tokenizer.description)
    }


def word_table(model: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """The whole vector of each word of a vocabulary (W, D), and of each character n-gram behind a row of nought.

    Words that have a number are written with the character n-grams that they always have, so that only others need
    theirs.
    """
    network = model.network.using(model.vocabulary.index(model.vocabulary.words))
    embedding = network.encoder.embedding
    with torch.inference_mode():
        words = embedding.vectors(torch.arange(len(model.vocabulary))).numpy()
    table = embedding.char_ngrams
    return words, None if table is None else _behind_nought(table.weight.detach().numpy())


def trained_files(fitted: FittedDocuments) -> Files:
    """The vocabulary of a network that reads words: word i has the number i + 3, character n-gram i the number i + 1.

    Before the words stand what fills up, the unknown word and the empty text.
    """
    model: Any = fitted.model
    own = {
        "words": model.vocabulary.words, "char_ngrams": model.vocabulary.char_ngrams, "unknown": UNKNOWN,
        "max_length": model.max_length,
    }
    return _vocabulary(fitted, _words(fitted) | own)


def pretrained_files(fitted: FittedDocuments, max_length: int) -> Files:
    """The tokenizer, as it came with the weights, and how many tokens are read at a time."""
    model: Any = fitted.model
    tokenizer = model.tokenizer
    begin, end = tokenizer.special_tokens
    own = {"begin": begin, "end": end, "max_length": max_length}
    return _vocabulary(fitted, own) | {TOKENIZER: _whole_texts(tokenizer.description)}


def written_out(table: Mapping[type, Any], network: Any, fitted: FittedDocuments) -> Any:
    """What a target's table has for a network. UsageError for one that is not written out for it."""
    if type(network) not in table:
        raise UsageError(f"The family {fitted.description.title} is not written out for this target.")
    return table[type(network)]


def shape_of(encoder: Any) -> Bert:
    """The sizes of a pretrained encoder. UsageError for one that is in another engine already."""
    if type(encoder) is not BertEncoder:
        raise UsageError("This model's encoder runs in another engine. Export the model as it was fitted or loaded.")
    return encoder.configuration


def _words(fitted: FittedDocuments) -> dict[str, Any]:
    """How texts are parted into words. UsageError for the rule of older versions."""
    if fitted.model.word_rule != WORD_RULE:
        raise UsageError(
            f"The words of this model are read by rule {fitted.model.word_rule}, of an older version, and what is "
            f"exported reads them by rule {WORD_RULE}. Fit the model anew."
        )
    return {"ignored": word_pattern.ignored(), "word": word_pattern.word()}


def _whole_texts(description: bytes) -> bytes:
    """A ``tokenizer.json`` without the filling up and the cutting that it may ask of whoever reads it."""
    return json_bytes(json.loads(description) | {"padding": None, "truncation": None})


def _vocabulary(fitted: FittedDocuments, own: dict[str, Any]) -> Files:
    head = fitted.head
    thresholds = getattr(head, "thresholds", ()) or [EVEN_CHANCE] * len(head.labels)
    answers = {"answers": head.kind, "labels": list(head.labels), "thresholds": list(thresholds)}
    return {"vocabulary.json": json_bytes(answers | own)}


def _behind_nought(array: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(array, shape=(1, *array.shape[1:])), array])
