"""The words of a document, wherever they stand (the distributed bag of words of Le and Mikolov 2014, section 2.3).

    p = softmax(s d W^T + b)        of any word of the document that d is the vector of

Where d is made of the rows of W, words that guess and words that are guessed are the same vectors (Press and Wolf
2017), and s, which is learned, says how much a likeness counts.
"""

import torch
from torch import Tensor, nn


class DocumentWords(nn.Module):
    """Vectors of documents (B, D) against a table (V, D): each document is scored once, not each place."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(words))

    def loss(self, documents: Tensor, table: Tensor, rows: Tensor, words: Tensor) -> Tensor:
        """documents (B, D); words (N,) that stand in the documents ``rows`` (N,) -> their summed loss, a scalar."""
        log_probs = torch.addmm(self.bias, self.scale * documents, table.T).log_softmax(dim=1)
        return -log_probs[rows, words].sum()
