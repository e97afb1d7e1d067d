"""Pictures of weights: what they show is what they hold, and they stay small."""

import base64
import struct
import zlib

import numpy as np
import pytest

from scansion.errors import UsageError
from scansion.viewer.heads import entropy, sink, weighed_together
from scansion.viewer.heatmaps import LEVELS, MOST_CELLS, palette, picture, shared


def read_back(address):
    """A second reading of the format (ISO/IEC 15948): the bytes of the cells and the colours they stand for."""
    data, chunks, place = base64.b64decode(address.partition(",")[2]), {}, 8
    while place < len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        name, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size : place + 12 + size])[0] == zlib.crc32(name + body)
        chunks[name] = body
        place += 12 + size
    columns, rows, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, kind) == (8, 3)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def softmax(scores):
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def test_a_picture_holds_its_weights_to_within_half_a_level_of_the_square_root():
    weights = softmax(np.random.default_rng(0).normal(size=(7, 11)) * 3)
    drawn = picture(weights)
    cells, _ = read_back(drawn.address)
    assert cells.shape == (drawn.rows, drawn.columns) == (7, 11)
    assert cells.max() == drawn.greatest
    assert np.abs(cells / LEVELS - np.sqrt(weights)).max() <= 0.5 / LEVELS + 1e-9


@pytest.mark.parametrize("greatest", [1, 2, 17, LEVELS])
def test_the_red_of_a_colour_tells_its_byte(greatest):
    reds = palette(greatest)[:, 0].astype(int)
    light, dark = reds[0], reds[-1]
    assert [round(greatest * (light - red) / (light - dark)) for red in reds] == list(range(greatest + 1))


@pytest.mark.parametrize("sharpness", [0.01, 0.5, 1.5, 4.0])
def test_forty_eight_heads_over_512_tokens_stay_below_ten_megabytes_however_they_look(sharpness):
    weights = softmax(np.random.default_rng(0).normal(size=(2, 512, 512)) * sharpness)
    assert 24 * sum(len(picture(head).address) for head in weights) < 9.5e6


def test_more_tokens_than_cells_share_them_and_rows_still_sum_to_one():
    weights = softmax(np.random.default_rng(0).normal(size=(2, 70, 30)))
    found = shared(weights, side=16)
    assert found.shape == (2, 14, 15)
    assert np.allclose(found.sum(axis=-1), 1)
    assert np.allclose(found[1, 2, 3], weights[1, 10:15, 6:8].sum(axis=-1).mean())
    assert shared(weights) is weights
    assert MOST_CELLS >= 512


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_what_are_no_weights_is_refused(wrong):
    with pytest.raises(UsageError, match="between 0 and 1"):
        picture(np.full((2, 2), wrong))


def test_entropy_runs_from_one_position_to_all_that_can_be_seen_alike():
    assert entropy(np.eye(4)) == 0
    assert entropy(np.full((4, 4), 0.25)) == pytest.approx(1)
    past = np.tril(np.ones((5, 5))) / np.arange(1, 6)[:, None]
    assert entropy(past, causal=True) == pytest.approx(1)
    assert entropy(np.ones((1, 1)), causal=True) == 0


def test_a_sink_is_where_most_of_all_looking_goes_that_could_go_elsewhere():
    weights = np.full((3, 4), 0.1)
    weights[:, 2] = 0.7
    assert sink(weights) == (2, pytest.approx(0.7))
    past = np.tril(np.ones((3, 3))) / np.arange(1, 4)[:, None]
    assert sink(past, causal=True)[1] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_heads_together_count_as_much_as_their_removal_costs():
    weights = softmax(np.random.default_rng(0).normal(size=(1, 3, 2, 2))).astype(np.float32)
    found = weighed_together(weights, np.array([[3.0, 1.0, -2.0]]))
    assert np.allclose(found, 0.75 * weights[0, 0] + 0.25 * weights[0, 1])
    assert np.allclose(weighed_together(weights, -np.ones((1, 3))), weights[0].mean(axis=0))
