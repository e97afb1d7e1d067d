"""The words of a document, wherever they stand (the distributed bag of words of Le and Mikolov 2014, section 2.3).

    chances = softmax(d W^T + b)        of any word of the document that d is the vector of
"""

import torch
from torch import Tensor, nn


class DocumentWords(nn.Module):
    """Vectors of documents (B, D) against a table of its own, (V, D): each document is scored once, not each place."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(words, width) * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(words))

    def loss(self, documents: Tensor, rows: Tensor, words: Tensor) -> Tensor:
        """documents (B, D); words (N,) that stand in the documents ``rows`` (N,) -> their summed loss, a scalar."""
        chances = torch.addmm(self.bias, documents, self.table.T).log_softmax(dim=1)
        return -chances[rows, words].sum()
