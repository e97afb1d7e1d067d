"""An encoder of one's own in the layout of Hugging Face, as a BERT that others read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from scansion.families.bert import Bert
from scansion.families.pretrained import BERT, OWN_FEED_FORWARD


def as_bert(bert: Bert, weights: Mapping[str, np.ndarray]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The inverse of ``encoder_of``, of an encoder without relative positions: config.json and tensors."""
    layers = range(bert.layers)
    config = {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": bert.width,
        "num_attention_heads": bert.heads, "num_hidden_layers": bert.layers, "intermediate_size": bert.feed_forward,
        "hidden_act": bert.activation, "max_position_embeddings": bert.positions, "type_vocab_size": 1,
        "vocab_size": len(weights["words.weight"]), "layer_norm_eps": bert.norm_epsilon,
        "hidden_dropout_prob": bert.dropout, "attention_probs_dropout_prob": 0.0,
    }
    words, positions, norm = BERT.embeddings
    tensors = {
        f"{words}.weight": weights["words.weight"], f"{positions}.weight": weights["positions"],
        f"{BERT.kinds}.weight": np.zeros((1, bert.width), np.float32),
    }
    pairs = {"norm": norm}
    for number in layers:
        mine, theirs = f"blocks.{number}.", BERT.layer.format(number)
        query, key, value, output, attention_norm = (theirs + name for name in BERT.attention)
        pairs |= {f"{mine}attention.query": query, f"{mine}attention.output": output}
        pairs |= {f"{mine}attention_norm": attention_norm}
        pairs |= {mine + ours: theirs + name for ours, name in zip(OWN_FEED_FORWARD, BERT.feed_forward, strict=True)}
        for part in ("weight", "bias"):
            both = np.split(weights[f"{mine}attention.key_value.{part}"], 2)
            tensors |= {f"{name}.{part}": half for name, half in zip((key, value), both, strict=True)}
    for ours, theirs in pairs.items():
        tensors |= {f"{theirs}.{part}": weights[f"{ours}.{part}"] for part in ("weight", "bias")}
    return config, tensors
