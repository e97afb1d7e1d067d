"""A tiny encoder in the Hugging Face layout: random weights, a word a token."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from scansion.families.bert import Bert
from scansion.families.bert_layout import as_bert
from scansion.storage.huggingface_layout import write_layout

TINY = Bert(width=16, heads=2, layers=2, feed_forward=32, positions=32, dropout=0.0)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def tokenizer_of(words: list[str]) -> Tokenizer:
    """A word a token, lower case, between [CLS] and [SEP]."""
    numbers = {word: number for number, word in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=48)  # as the files of sentence encoders ask for it; nobody here wants it
    tokenizer.enable_truncation(16)
    return tokenizer


def write_encoder(folder: Path, words: list[str], bert: Bert = TINY, seed: int = 0, scale: float = 2.0) -> Path:
    """A folder that ``--from`` takes; weights of the usual ``scale``, 1, would make all words nearly alike."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = bert.build(len(words) + len(SPECIAL))
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data *= scale
    weights = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    config, tensors = as_bert(bert, weights)
    write_layout(folder, config, {name: np.ascontiguousarray(array) for name, array in tensors.items()},
                 tokenizer_of(words).to_str().encode())
    return folder
