"""Pretrained language models: weights that somebody learned once, on plenty of text (Radford et al. 2019).

GPT-2 and Llama are read, from a folder in the layout of Hugging Face: see :mod:`scansion.models.decoder_layouts`.
Texts are cut by the tokenizer that came with the weights.  Training goes on where it ended.
"""

from dataclasses import dataclass
from typing import ClassVar

from scansion.options import check_positive, check_shares


@dataclass(frozen=True)
class PretrainedDecoder:
    """``source``: a folder in the Hugging Face layout, or a name on its hub."""

    source: str = ""
    dropout: float = 0.0
    learning_rate: float = 3e-4

    learner: ClassVar[str] = "pretrained"

    def __post_init__(self) -> None:
        check_shares(self, "dropout")
        check_positive(self, "learning_rate")
