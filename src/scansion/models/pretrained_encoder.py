"""Pretrained weights and the tokenizer that came with them, and how they are best used on given data."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from scansion.errors import UnsafeFolderError
from scansion.families.bert import Bert
from scansion.families.pretrained import DECLARED, Pretrained, encoder_of, words_of
from scansion.layers.pooling import POOLINGS
from scansion.layers.without_weights import WithoutWeights
from scansion.learning.frozen_encoder import FrozenEncoder
from scansion.storage.fingerprints import fingerprint_of, fingerprint_of_arrays
from scansion.storage.huggingface_layout import Layout, read_layout
from scansion.storage.pretrained_source import find_pretrained
from scansion.storage.sentence_modules import ENCODERS, MODULES, POOLING, SentenceModules
from scansion.text.batches import Sequences
from scansion.text.pretrained_tokenizer import PretrainedTokenizer
from scansion.text.tokenizer_files import TokenizerFiles, most_tokens, tokenizer_of

FEWEST_ROWS_TO_TUNE = 100  # measured: of 48 rows either way is as good, of 128 fine-tuning is better
PASSES = 5  # a step of training costs about as much as reading its batch five times with packed weights
ROWS_TO_TIME = 32
MOST_ROWS_A_TOKEN, MOST_ROWS_BESIDE = 10, 100_000
"""Weights may know more words than there are tokens, to be of a round number; a file with nothing but them is none."""
MEAN = ("mean",)
LEFT_OUT = {
    "Normalize": "Normalize is left out, since the head brings every dimension to one scale",
    "Dropout": "Dropout is left out, as it always is outside training",
}
"""Modules of sentence-transformers without which the vectors serve a head as well, and why."""


@dataclass(frozen=True)
class PretrainedDocuments:
    """Documents as tokens of a pretrained encoder, with its weights by the names of its network."""

    bert: Bert
    weights: Mapping[str, np.ndarray]
    tokenizer: PretrainedTokenizer
    sequences: Sequences
    pooling: tuple[str, ...] = MEAN
    remarks: tuple[str, ...] = ()
    """What is to be said of the pooling."""

    def __len__(self) -> int:
        return len(self.sequences)

    @cached_property
    def fingerprint(self) -> str:
        """Of the weights and of all else that a text's vectors depend on."""
        tokenizer = self.tokenizer.description.decode("utf-8")
        return fingerprint_of((repr(self.bert), *self.pooling, tokenizer, fingerprint_of_arrays(self.weights)))

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
        return encoder_from(self.bert, self.weights, self.pooling)


def read_pretrained(family: Pretrained, texts: Iterable[str]) -> PretrainedDocuments:
    """Find the weights and read the texts. StorageError or UnsafeFolderError for weights that are not to be had."""
    layout = read_layout(find_pretrained(family.source))
    pooling, remarks = _pooling_of(family, layout.modules, layout.where)
    words = words_of(layout)
    tokenizer = tokenizer_of(_tokenizer_files(layout, words))
    _check_tokens(words, tokenizer)
    bert, weights = encoder_of(layout, most_tokens(layout.tokenizer_settings, layout.where))
    _check_fit(bert, weights, layout.where)
    return PretrainedDocuments(bert, weights, tokenizer, tokenizer.encode(texts), pooling, remarks)


def _tokenizer_files(layout: Layout, words: int) -> TokenizerFiles:
    return TokenizerFiles(
        layout.where, str(layout.config.get("model_type")), layout.tokenizer, layout.tokenizer_settings,
        layout.config.get("tokenizer_class"), layout.modules is not None and layout.modules.lower_case,
        words,
    )


def _pooling_of(
    family: Pretrained, modules: SentenceModules | None, where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How vectors are pooled, and what is to be said of it. UnsafeFolderError for steps that are not supported."""
    if family.pooling != DECLARED:
        return (family.pooling,), (f"vectors are pooled by {family.pooling}, as was asked",)
    if modules is None:
        return MEAN, ()
    strange = [step for step in modules.steps[1:] if step not in LEFT_OUT and step != POOLING]
    strange += [name for name in modules.pooling if name not in POOLINGS]
    if strange or modules.steps.count(POOLING) != 1 or modules.steps[1] != POOLING:
        by = f" by {' and '.join(modules.pooling)}" if modules.pooling else ""
        raise UnsafeFolderError(
            f"{where}: {MODULES} declares {', '.join(modules.steps)}{by}; read are a {ENCODERS[0]}, one {POOLING} by "
            f"{', '.join(POOLINGS)}, and {' or '.join(LEFT_OUT)}. To read the encoder without them, choose a pooling: "
            "--set pooling=mean."
        )
    said = [f"vectors are pooled by {' and '.join(modules.pooling)}, as {MODULES} declares"]
    said += [LEFT_OUT[step] for step in modules.steps[2:]]
    if modules.max_length is not None:
        said.append(f"what is behind the {modules.max_length} tokens of max_seq_length is read too")
    if modules.prompt:
        said.append(f"the default prompt {modules.prompt!r} is not put before texts")
    return modules.pooling, ("; ".join(said),)


def _check_tokens(words: int, tokenizer: PretrainedTokenizer) -> None:
    """UnsafeFolderError unless the tokenizer can be that of weights which know so many ``words``."""
    tokens = tokenizer.highest + 1
    if tokens > words or words > MOST_ROWS_A_TOKEN * tokens + MOST_ROWS_BESIDE:
        raise UnsafeFolderError(f"{tokenizer.where} has {tokens:,} tokens and the weights know {words:,}.")


def _check_fit(bert: Bert, weights: Mapping[str, np.ndarray], where: str) -> None:
    """UnsafeFolderError unless config.json and weights are of one model."""
    words = len(weights["words.weight"])
    with torch.device("meta"), WithoutWeights():  # shapes without numbers
        wanted = bert.build(words).state_dict()
    for name, tensor in wanted.items():
        if tuple(tensor.shape) != weights[name].shape:
            raise UnsafeFolderError(
                f"{where}: config.json asks for {tuple(tensor.shape)} numbers in {name}, and the weights have "
                f"{weights[name].shape}."
            )


def encoder_from(bert: Bert, weights: Mapping[str, np.ndarray], pooling: tuple[str, ...] = MEAN) -> FrozenEncoder:
    """A network with the given weights; RuntimeError if they are of another shape, KeyError for another pooling."""
    with WithoutWeights():
        network = bert.build(len(weights["words.weight"])).eval()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    if not pooling or set(pooling) - POOLINGS.keys():
        raise KeyError(f"there is no pooling {' and '.join(pooling)!r}")
    return FrozenEncoder(network, bert.width * len(pooling), bert.max_length, pooling)


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
