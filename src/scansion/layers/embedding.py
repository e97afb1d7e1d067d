"""Word vectors, learned from the user's own text."""

from torch import Tensor, nn

from scansion.layers.dropout import Dropout, WordDropout

DEVIATION = 0.1


class WordEmbedding(nn.Module):
    """Ids (B, L) -> vectors (B, L, D). While training, whole words and then single numbers are dropped."""

    def __init__(self, vocabulary_size: int, width: int, dropout: float, word_dropout: float, unknown: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary_size, width)
        self.word_dropout = WordDropout(word_dropout, unknown)
        self.dropout = Dropout(dropout)
        nn.init.normal_(self.words.weight, std=DEVIATION)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.dropout(self.words(self.word_dropout(tokens)))
