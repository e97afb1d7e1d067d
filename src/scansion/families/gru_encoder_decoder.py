"""GRU encoder-decoder with attention: the network of Cho et al. (2014) with the attention of Bahdanau et al. (2015).

    source:  h_j = [forwards ; backwards] over E[s]
    target:  c_t = Attention(z_(t-1), h),   z_t = GRU([E[y_(t-1)] ; c_t], z_(t-1))
             o_t = tanh(W [z_t ; c_t ; E[y_(t-1)]])

The cell is that of :mod:`scansion.families.gru`; everything else is shared with the RNN's and the LSTM's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from scansion.families.recurrent_encoder_decoder import RecurrentOptions


@dataclass(frozen=True)
class GRUEncoderDecoder(RecurrentOptions):
    """With a GRU's cell."""

    dropout: float = 0.2
    learning_rate: float = 4e-3

    layer: ClassVar[Callable[..., nn.RNNBase]] = nn.GRU
    cell: ClassVar[Callable[..., nn.RNNCellBase]] = nn.GRUCell
