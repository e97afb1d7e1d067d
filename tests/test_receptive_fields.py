"""What lets one position see another: the pictures of receptive fields, and the tasks they decide."""

import numpy as np
import pytest
import torch

from scansion.families.bag_of_words import BagOfWords
from scansion.families.catalogue import DOCUMENT_FAMILIES
from scansion.families.ngrams import NGrams
from scansion.inspection.receptive_field import pictures, receptive_field
from scansion.text.word_tokenizer import read_words
from small_families import small

SMALL = {
    name: small(kind, width=8, layers=2, feed_forward=16, max_length=32)
    for name, kind in DOCUMENT_FAMILIES.items() if kind.reads == "words" and kind.learner == "gradient"
}


def network(name: str) -> torch.nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return SMALL[name].build(20).eval()


def vectors(net: torch.nn.Module, *rows: list[int]) -> list[torch.Tensor]:
    """Each row's vectors (L, D), read in one batch padded to the longest."""
    length = max(map(len, rows))
    tokens = torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])
    mask = torch.tensor([[True] * len(row) + [False] * (length - len(row)) for row in rows])
    with torch.inference_mode():
        return [read[: len(row)] for read, row in zip(net(tokens, mask), rows, strict=True)]


# --- the pictures ---------------------------------------------------------------------------------------------------

PICTURES = {
    "baseline": "......",
    "bag-of-words": "...#..",
    "n-grams": ".#####",  # runs of three words that hold the fourth reach from the second to the sixth
    "static": "...#..",
    "rnn": "######",
    "gru": "######",
    "lstm": "######",
    "transformer": "######",
    "pretrained": "######",
}


def test_every_family_sees_what_its_picture_shows():
    assert PICTURES.keys() == DOCUMENT_FAMILIES.keys()
    here = pictures()
    assert here == {name: PICTURES[name] for name in here}
    without_weights = {name for name, kind in DOCUMENT_FAMILIES.items() if kind.reads == "words"}
    assert here.keys() >= without_weights  # those of the others may not be installed


@pytest.mark.parametrize(
    ("order", "picture"), [(1, "...#.."), (2, "..###."), (3, ".#####"), (4, "######")]
)
def test_an_n_gram_reaches_n_minus_one_words_to_both_sides(order, picture):
    assert receptive_field(NGrams(order=order)) == picture
    assert receptive_field(NGrams(order=order, char_ngrams=False)) == picture


@pytest.mark.parametrize("name", list(SMALL))
def test_a_receptive_field_does_not_depend_on_the_size(name):
    assert receptive_field(SMALL[name]) == PICTURES[name]


def test_measuring_leaves_torchs_random_state_as_it_was():
    before = torch.random.get_rng_state()
    receptive_field("lstm")
    assert torch.equal(torch.random.get_rng_state(), before)


# --- the tasks they decide ------------------------------------------------------------------------------------------


def counted(family: BagOfWords | NGrams, *texts: str) -> np.ndarray:
    """Vectors of the texts, learned from themselves, each often enough to be kept."""
    learner = family.build()
    learner.learn(read_words([*texts, *texts]))
    return learner.vectors(read_words(texts)).toarray()


def test_a_bag_of_words_cannot_tell_work_to_live_from_live_to_work():
    one, other = counted(BagOfWords(), "work to live", "live to work")
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("order", [2, 3])
def test_n_grams_can(order):
    one, other = counted(NGrams(order=order), "work to live", "live to work")
    assert not np.allclose(one, other)


@pytest.mark.parametrize("name", list(SMALL))
def test_so_can_every_family_that_learns_its_vectors(name):
    one, other = (read.mean(dim=0) for read in vectors(network(name), [5, 6, 7], [7, 6, 5]))
    assert (one - other).abs().max() > 1e-4


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_an_n_gram_model_cannot_see_beyond_n(n):
    """Two walks with the same runs of n words, in another order: two loops from a bridge of n - 1 words and back."""
    bridge = [f"bridge{i}" for i in range(n - 1)]
    one_loop, other_loop = ["east"], ["west", "wind"]
    one = " ".join(bridge + one_loop + bridge + other_loop + bridge)
    other = " ".join(bridge + other_loop + bridge + one_loop + bridge)
    same = counted(NGrams(order=n), one, other)
    np.testing.assert_array_equal(same[0], same[1])
    longer = counted(NGrams(order=n + 1), one, other)
    assert not np.allclose(longer[0], longer[1])


def test_a_transformer_without_positions_is_a_bag():
    net = network("transformer")
    net.positions.table.zero_()
    words = [5, 9, 6, 7, 9, 8]
    order = [3, 0, 5, 1, 4, 2]
    (straight,), (shuffled,) = vectors(net, words), vectors(net, [words[i] for i in order])
    torch.testing.assert_close(shuffled, straight[order], rtol=0, atol=1e-6)


def test_a_transformer_with_positions_is_not():
    words, order = [5, 9, 6, 7, 9, 8], [3, 0, 5, 1, 4, 2]
    net = network("transformer")
    (straight,), (shuffled,) = vectors(net, words), vectors(net, [words[i] for i in order])
    assert (shuffled - straight[order]).abs().max() > 1e-3


@pytest.mark.parametrize("name", list(SMALL))
def test_padding_changes_nothing(name):
    net, words = network(name), [5, 6, 7, 8]
    (alone,) = vectors(net, words)
    padded, _ = vectors(net, words, [9, 10, 11, 12, 13, 14, 15, 16, 17])
    torch.testing.assert_close(padded, alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", list(SMALL))
def test_what_stands_under_the_padding_is_not_read(name):
    net, mask = network(name), torch.tensor([[True, True, True, False, False]])
    with torch.inference_mode():
        zeros, others = (net(torch.tensor([[5, 6, 7, *under]]), mask)[0, :3] for under in ([0, 0], [8, 9]))
    torch.testing.assert_close(others, zeros, rtol=0, atol=1e-6)
