"""Packed layers, against the layers they were made of."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from scansion.families.bert import Bert
from scansion.layers.packed import PACKS, PackedLinear, packed
from scansion.learning.frozen_encoder import FrozenEncoder
from scansion.text.batches import Sequences

needs_packing = pytest.mark.skipif(not PACKS, reason="torch has no packed products on this processor")


def bert():
    torch.manual_seed(0)
    return Bert(width=24, heads=4, layers=2, feed_forward=48, positions=20).build(30).eval()


@needs_packing
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 5), (7, 5), (2, 3, 5), (0, 5)])
def test_a_packed_layer_does_what_the_layer_does(bias, shape):
    linear, vectors = nn.Linear(5, 9, bias=bias), torch.randn(shape)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear)(vectors), linear(vectors), rtol=1e-5, atol=1e-6)


@needs_packing
def test_a_packed_network_reads_as_the_network_does_and_leaves_it_as_it_was():
    network = bert()
    before = copy.deepcopy(network.state_dict())
    twin = packed(network)
    tokens, mask = torch.randint(30, (3, 8)), torch.arange(8) < torch.tensor([8, 5, 1])[:, None]
    with torch.inference_mode():
        torch.testing.assert_close(twin(tokens, mask)[mask], network(tokens, mask)[mask], rtol=1e-5, atol=1e-5)
    assert not any(isinstance(layer, nn.Linear) for layer in twin.modules())
    assert not any(isinstance(layer, PackedLinear) for layer in network.modules())
    for name, weights in network.state_dict().items():
        torch.testing.assert_close(weights, before[name], rtol=0, atol=0)


def test_an_encoder_that_has_read_can_be_copied():
    encoder = FrozenEncoder(bert(), 24, 18)
    rows = Sequences(np.arange(20, dtype=np.int32), np.array([0, 4]), np.array([4, 16]))
    vectors = encoder.fresh_vectors(rows)
    np.testing.assert_array_equal(copy.deepcopy(encoder).fresh_vectors(rows), vectors)
