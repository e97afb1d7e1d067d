"""What each token of a text adds to a score; where features are counted, exactly.

A dimension's share of the score goes to the tokens it is made of.
"""

from dataclasses import dataclass

import numpy as np

from scansion.models.document_models import SparseLinearModel
from scansion.text.word_tokenizer import read_words


@dataclass(frozen=True)
class Explained:
    """Contributions (L,) to the scores of the head's output, its base and its value."""

    contributions: np.ndarray
    base: float
    score: float


def counted_attribution(model: SparseLinearModel, text: str, output: int, read: None = None) -> Explained:
    """Exactly: each dimension's part of the logit, shared among the tokens it is made of."""
    corpus = read_words([text], rule=model.word_rule)
    vector = model.vectors.vectors(corpus)
    bias, score = float(model.linear.bias[output]), float(model.linear.logits(vector)[0, output])
    vector.data = vector.data * model.linear.weights[vector.indices, output]
    return Explained((vector @ model.vectors.shares(corpus)).toarray()[0], bias, score)
