"""A trained encoder-decoder of another project, with its weights in our network: the same outputs and scores.

``tests/data/transliteration`` writes Arabic names in Latin letters.  Its tables are not shared, so source and target
letters stand side by side in one table, and scores are made with its own projection.
"""

import csv
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from scansion.decoding.beam import beam_search
from scansion.decoding.greedy import greedy
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder

FOLDER = Path(__file__).parents[1] / "data" / "transliteration"
BEGIN, END, MOST = 1, 2, 30
TOLERANCE = 1e-4  # of a token's log-probability; the reference is rounded to four places
WEIGHTS = load_file(FOLDER / "aren_transliteration.safetensors")
SOURCE, TARGET = ((FOLDER / f"{side}_vocabulary.txt").read_text("utf-8").split("\n") for side in ("source", "target"))
with (FOLDER / "greedy_reference.tsv").open(encoding="utf-8") as file:
    REFERENCE = list(csv.DictReader(file, delimiter="\t"))


def positions(max_length: int, width: int) -> torch.Tensor:
    """Its sinusoids: sines then cosines, from position 1, with one wavelength step less than the paper's."""
    steps = torch.arange(width // 2) / (width // 2 - 1)
    angles = torch.arange(1, max_length + 1)[:, None] * 10_000.0**-steps
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def norm(name: str, ours: str):
    yield f"{ours}.weight", WEIGHTS[f"{name}/gamma"]
    yield f"{ours}.bias", WEIGHTS[f"{name}/beta"]


def linear(name: str, ours: str, part: slice = slice(None)):
    for kind in ("weight", "bias"):
        yield f"{ours}.{kind}", WEIGHTS[f"{name}/{kind}"][part]


def attention(name: str, ours: str, width: int):
    """Its own attention fuses queries, keys and values; that to the source only keys and values."""
    if name.endswith("self_attention"):
        yield from linear(f"{name}/linear_0", f"{ours}.query", slice(width))
        yield from linear(f"{name}/linear_0", f"{ours}.key_value", slice(width, None))
        yield from linear(f"{name}/linear_1", f"{ours}.output")
    else:
        yield from linear(f"{name}/linear_0", f"{ours}.query")
        yield from linear(f"{name}/linear_1", f"{ours}.key_value")
        yield from linear(f"{name}/linear_2", f"{ours}.output")


def named(layers: int, width: int):
    """Its tensors under our names."""
    yield "embedding.weight", torch.cat([WEIGHTS["encoder/embeddings/weight"], WEIGHTS["decoder/embeddings/weight"]])
    for side in ("encoder", "decoder"):
        yield from norm(f"{side}/layer_norm", f"{side}_norm")
        for number in range(layers):
            theirs, ours = f"{side}/layer_{number}", f"{side}.{number}"
            own, its_norm = ("attention", "attention_norm") if side == "encoder" else ("own_attention", "own_norm")
            yield from norm(f"{theirs}/self_attention/layer_norm", f"{ours}.{its_norm}")
            yield from attention(f"{theirs}/self_attention", f"{ours}.{own}", width)
            if side == "decoder":
                yield from norm(f"{theirs}/attention/layer_norm", f"{ours}.source_norm")
                yield from attention(f"{theirs}/attention", f"{ours}.source_attention", width)
            yield from norm(f"{theirs}/ffn/layer_norm", f"{ours}.feed_forward.norm")
            yield from linear(f"{theirs}/ffn/linear_0", f"{ours}.feed_forward.inner")
            yield from linear(f"{theirs}/ffn/linear_1", f"{ours}.feed_forward.outer")


@pytest.fixture(scope="module")
def network():
    shape = json.loads((FOLDER / "config.json").read_text())
    family = TransformerEncoderDecoder(
        width=shape["d_model"], heads=shape["num_heads"], layers=shape["encoder_layers"],
        feed_forward=shape["ffn_dim"], max_length=64,
    )
    net = family.build(len(SOURCE) + len(TARGET)).eval()
    net.load_state_dict(dict(named(family.layers, family.width)))
    net.positions = positions(family.max_length, family.width)
    return net


def step_of(net):
    projection, bias = WEIGHTS["decoder/projection/weight"], WEIGHTS["decoder/projection/bias"]

    def step(last, state):
        vectors, state = net.step(last + len(SOURCE), state)
        return torch.addmm(bias, vectors, projection.T).log_softmax(dim=1), state

    return step


def read(net, words):
    """The words as a batch, read."""
    lengths = torch.tensor([len(word) for word in words])
    tokens = torch.zeros(len(words), int(lengths.max()), dtype=torch.int64)
    for row, word in enumerate(words):
        tokens[row, : len(word)] = torch.tensor([SOURCE.index(letter) for letter in word])
    return net.init_state(tokens, torch.arange(tokens.shape[1]) < lengths[:, None], MOST)


def test_greedy_outputs_and_their_probabilities_are_the_reference(network):
    words = [row[next(iter(row))] for row in REFERENCE]
    with torch.inference_mode():
        most = torch.full((len(words),), MOST)
        found = greedy(step_of(network), read(network, words), len(words), most, BEGIN, END)
    for row, hypothesis in zip(REFERENCE, found, strict=True):
        assert "".join(TARGET[token] for token in hypothesis.tokens) == row["greedy_output"]
        tokens = len(hypothesis.tokens) + 1
        assert hypothesis.log_probability == pytest.approx(float(row["sum_logprob"]), abs=tokens * TOLERANCE)


def test_a_beam_finds_nothing_less_likely(network):
    words = [row[next(iter(row))] for row in REFERENCE]
    with torch.inference_mode():
        most = torch.full((len(words),), MOST)
        found = beam_search(step_of(network), read(network, words), len(words), 5, most, BEGIN, END, penalty=0.0)
    for row, hypotheses in zip(REFERENCE, found, strict=True):
        assert hypotheses[0].log_probability >= float(row["sum_logprob"]) - MOST * TOLERANCE
