"""Pretrained weights and the tokenizer that came with them, and how they are best used on given data."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from scansion.errors import UnsafeFolderError
from scansion.families.bert import Bert
from scansion.families.pretrained import Pretrained, encoder_of
from scansion.learning.frozen_encoder import FrozenEncoder
from scansion.storage.fingerprints import fingerprint_of_arrays
from scansion.storage.huggingface_layout import read_layout
from scansion.storage.pretrained_source import find_pretrained
from scansion.text.batches import Sequences
from scansion.text.pretrained_tokenizer import PretrainedTokenizer

FEWEST_ROWS_TO_TUNE = 100  # measured: of 48 rows either way is as good, of 128 fine-tuning is better
PASSES = 5  # a step of training costs about as much as reading its batch five times with packed weights
ROWS_TO_TIME = 32


@dataclass(frozen=True)
class PretrainedDocuments:
    """Documents as tokens of a pretrained encoder, with its weights by the names of its network."""

    bert: Bert
    weights: Mapping[str, np.ndarray]
    tokenizer: PretrainedTokenizer
    sequences: Sequences

    def __len__(self) -> int:
        return len(self.sequences)

    @cached_property
    def fingerprint(self) -> str:
        """Of the weights."""
        return fingerprint_of_arrays(self.weights)

    @property
    def notes(self) -> tuple[str, ...]:
        """On how texts were read: as the weights were trained to."""
        return ()

    @property
    def words(self) -> int:
        """How many tokens the encoder knows."""
        return len(self.weights["words.weight"])

    def encoder(self) -> FrozenEncoder:
        """The encoder, its weights as they are."""
        return encoder_from(self.bert, self.weights)


def read_pretrained(family: Pretrained, texts: Iterable[str]) -> PretrainedDocuments:
    """Find the weights and read the texts. StorageError or UnsafeFolderError for weights that are not to be had."""
    layout = read_layout(find_pretrained(family.source))
    bert, weights = encoder_of(layout)
    tokenizer = PretrainedTokenizer(layout.tokenizer, f"{layout.where}/tokenizer.json")
    _check_fit(bert, weights, tokenizer, layout.where)
    return PretrainedDocuments(bert, weights, tokenizer, tokenizer.encode(texts))


def _check_fit(bert: Bert, weights: Mapping[str, np.ndarray], tokenizer: PretrainedTokenizer, where: str) -> None:
    """UnsafeFolderError unless config.json, weights and tokenizer are of one model."""
    words = len(weights["words.weight"])
    if len(tokenizer) > words:
        raise UnsafeFolderError(
            f"{where}: tokenizer.json has {len(tokenizer):,} tokens and the weights know {words:,}."
        )
    with torch.device("meta"):  # shapes without numbers
        wanted = bert.build(words).state_dict()
    for name, tensor in wanted.items():
        if tuple(tensor.shape) != weights[name].shape:
            raise UnsafeFolderError(
                f"{where}: config.json asks for {tuple(tensor.shape)} numbers in {name}, and the weights have "
                f"{weights[name].shape}."
            )


def encoder_from(bert: Bert, weights: Mapping[str, np.ndarray]) -> FrozenEncoder:
    """A network with the given weights; RuntimeError if they are of another shape."""
    with torch.random.fork_rng(devices=[]):  # its first weights are nobody's
        network = bert.build(len(weights["words.weight"])).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return FrozenEncoder(network, bert.width, bert.max_length)


def chosen_mode(family: Pretrained, documents: PretrainedDocuments, deadline: float) -> tuple[str, str]:
    """Frozen or fine-tuned, and why."""
    if family.mode != "auto":
        return family.mode, f"{family.mode}, as was asked"
    rows = len(documents)
    if rows < FEWEST_ROWS_TO_TUNE:
        return "frozen", f"frozen: with fewer than {FEWEST_ROWS_TO_TUNE} rows a linear head on fixed vectors is surer"
    left = deadline - time.monotonic()
    if np.isfinite(left) and left < (needed := _seconds_an_epoch(documents)):
        return "frozen", f"frozen: of the budget {left:.0f} s are left, and one epoch of fine-tuning takes {needed:.0f}"
    return "fine-tuned", f"fine-tuned: {rows:,} rows are enough to learn from"


def _seconds_an_epoch(documents: PretrainedDocuments) -> float:
    """What one epoch would take, from the time that a few rows take to be read."""
    sequences = documents.sequences
    part = sequences.only(slice(ROWS_TO_TIME))
    encoder = documents.encoder()
    for _ in range(2):  # the first time is slower
        begun = time.monotonic()
        for _ in encoder.encode(part):
            pass
        seconds = time.monotonic() - begun
    return PASSES * seconds * float(sequences.lengths.sum()) / max(1, int(part.lengths.sum()))
