"""A BERT inside CTranslate2: a network like any other to those who read with it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from scansion.errors import UsageError
from scansion.families.bert import BertEncoder
from scansion.models.ctranslate2 import (
    TOKENS_AT_A_TIME,
    array,
    finished,
    library,
    loading,
    put_linear,
    put_norm,
    put_self_attention,
)
from scansion.models.precision import Precision
from scansion.storage.scratch import scratch_folder

RUNS = (BertEncoder,)


class CTranslate2Encoder(nn.Module):
    """tokens (B, L), mask (B, L) -> (B, L, D), by ``replicas`` of one thread each."""

    tokens_at_a_time = TOKENS_AT_A_TIME

    def __init__(self, network: nn.Module, precision: Precision, replicas: int) -> None:
        """MissingExtraError without the package, UsageError for a network it cannot run."""
        super().__init__()
        self.configuration = network.configuration
        with loading(), scratch_folder("ctranslate2") as folder:
            specification_of(network, precision).save(str(folder))
            self.encoder = library().Encoder(
                str(folder), compute_type=precision, inter_threads=replicas, intra_threads=1
            )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        view = library().StorageView.from_array
        lengths = mask.sum(dim=1).to(torch.int32).numpy()
        found = self.encoder.forward_batch(view(tokens.to(torch.int32).numpy()), view(lengths))
        return torch.from_numpy(np.array(found.last_hidden_state))


def specification_of(network: Any, precision: Precision) -> Any:
    """The network as CTranslate2's own description of a model."""
    if type(network) not in RUNS or network.relative_positions is not None:
        raise UsageError("CTranslate2 runs pretrained encoders of BERT's kind only; this model is none, or an MPNet.")
    specs, shape = library().specs, network.configuration
    kinds = specs.common_spec.Activation
    # in int8 by a hyperbolic tangent (Hendrycks and Gimpel 2016, section 2): sooner there, and as close to float32
    gelu = kinds.GELU if precision == "float32" else kinds.GELUTanh
    activation = {"gelu": gelu, "gelu_new": kinds.GELUTanh, "relu": kinds.RELU}[shape.activation]
    encoder = specs.TransformerEncoderSpec(
        shape.layers, shape.heads, pre_norm=False, activation=activation, layernorm_embedding=True
    )
    encoder.scale_embeddings = False
    encoder.embeddings[0].weight = array(network.words.weight)
    encoder.position_encodings.encodings = array(network.positions)
    put_norm(encoder.layernorm_embedding, network.norm)
    for mine, theirs in zip(network.blocks, encoder.layer, strict=True):
        put_self_attention(theirs.self_attention, mine.attention)
        put_norm(theirs.self_attention.layer_norm, mine.attention_norm)
        put_linear(theirs.ffn.linear_0, mine.inner)
        put_linear(theirs.ffn.linear_1, mine.outer)
        put_norm(theirs.ffn.layer_norm, mine.outer_norm)
    found = specs.TransformerEncoderModelSpec(encoder)
    found.register_vocabulary([str(number) for number in range(len(network.words.weight))])
    found.config.unk_token = "0"
    found.config.layer_norm_epsilon = shape.norm_epsilon
    return finished(found, precision)
