"""A frozen encoder's vectors, written down: whoever changes them raises the version by which kept ones are known."""

import numpy as np

from scansion.families.bert import Bert
from scansion.learning.frozen_encoder import FORWARD_VERSION, FrozenEncoder
from scansion.models.pretrained_encoder import encoder_from
from scansion.text.batches import Sequences

SHAPE = Bert(width=8, heads=2, layers=2, feed_forward=12, positions=10, activation="gelu_new", norm_epsilon=1e-5)
WORDS = 12
VERSION_1 = [
    [0.41991, -0.36038, -0.33262, -0.73862, 1.71228, 1.00818],
    [0.48524, -0.43173, -0.31882, -0.73943, 1.71228, 1.00817],
    [0.49549, -0.48851, -0.29626, -0.72070, 1.70210, 1.00746],
]


def encoder(**pooling: tuple[str, ...]) -> FrozenEncoder:
    """Weights that no random generator has a part in."""
    names = SHAPE.build(WORDS).state_dict()
    weights = {
        name: np.sin(np.arange(array.numel(), dtype=np.float32) * (number + 1) + number).reshape(array.shape)
        for number, (name, array) in enumerate(sorted(names.items()))
    }
    return encoder_from(SHAPE, weights, **pooling)


def test_the_vectors_of_this_version_are_those_that_were_written_down():
    """A change here makes kept vectors wrong: raise FORWARD_VERSION and write down the new ones."""
    ids = np.array([5, 6, 7, 8, 9, 10, 11, 5, 6, 7, 8, 9], np.int32)
    sequences = Sequences(ids, np.array([0, 3, 3]), np.array([3, 9, 0]), frame=(2, 3))  # the second in two windows
    found = encoder(pooling=("mean", "cls")).fresh_vectors(sequences)[:, ::3]
    assert FORWARD_VERSION == "1"
    np.testing.assert_allclose(found, VERSION_1, atol=2e-5)
