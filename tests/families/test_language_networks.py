"""Neural language families: one step is the whole read again, and nobody sees ahead."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import scansion
from scansion.errors import DataError
from scansion.families.catalogue import LANGUAGE_FAMILIES
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.recurrent_language_model import GRULanguageModel, LSTMLanguageModel, RNNLanguageModel
from scansion.layers.causal_decoder import first_seen
from scansion.learning.language_network import build_language, windows_of
from scansion.learning.training import LanguageTraining
from scansion.models.neural_language import NeuralLanguage
from scansion.randomness import stream
from scansion.tasks.language_training import split
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN, END

VOCABULARY = 11
CONTEXT = 8
NETWORKS = {
    "transformer": CausalTransformer(width=16, heads=2, layers=2, feed_forward=32, context=CONTEXT),
    "rotary": CausalTransformer(width=16, heads=2, layers=2, feed_forward=32, context=CONTEXT, positions="rotary"),
    "n-grams beside": CausalTransformer(
        width=16, heads=2, layers=2, feed_forward=32, context=CONTEXT, ngrams=4, ngram_rows=50
    ),
    "rnn": RNNLanguageModel(width=8, hidden_size=12, layers=2, window=4 * CONTEXT),
    "gru": GRULanguageModel(width=8, hidden_size=12, window=4 * CONTEXT),
    "lstm": LSTMLanguageModel(width=8, hidden_size=12, layers=2, window=4 * CONTEXT),
}
BRIEF = LanguageTraining(max_tokens=1, min_epochs=15, max_epochs=15, target_steps=150, min_batch_tokens=100)


def model(name: str) -> NeuralLanguage:
    network = build_language(NETWORKS[name], VOCABULARY, 0.0, seed=1).eval()
    if getattr(network.network, "ngrams", None) is not None:
        torch.nn.init.normal_(network.network.ngrams.table.weight)  # which is zero at first
    return NeuralLanguage(network, NETWORKS[name].context)


def documents(lengths: list[int]) -> list[np.ndarray]:
    random = stream(0, "documents")
    return [np.array([BEGIN, *random.integers(3, VOCABULARY, each), END], np.int32) for each in lengths]


def test_every_family_that_learns_by_gradients_is_tested_here():
    wanted = {name for name, kind in LANGUAGE_FAMILIES.items() if kind.learner == "gradient"}
    assert NETWORKS.keys() - {"rotary", "n-grams beside"} == wanted


@pytest.mark.parametrize("name", NETWORKS)
def test_one_step_after_the_other_is_the_whole_document_at_once_at_every_position(name):
    texts = documents([0, 3, 7, 8, 9, 12, 13, 30])
    found = model(name)
    scores = np.split(found.log_probabilities(np.concatenate(texts)), np.cumsum([len(text) for text in texts])[:-1])
    longest = max(map(len, texts))
    padded = np.stack([np.pad(text, (0, longest - len(text)), constant_values=END) for text in texts])
    state = found.start(len(texts))
    for position in range(longest - 1):
        log_probs, state = found.step(padded[:, position], state)
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=1), 1, atol=1e-5)
        for number, text in enumerate(texts):
            if position + 1 < len(text):
                assert log_probs[number, text[position + 1]] == pytest.approx(scores[number][position + 1], abs=1e-5)
    assert all(each[0] == 0 for each in scores)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_state_after_many_tokens_is_that_of_reading_them_one_by_one(name):
    texts = [text[:-1] for text in documents([0, 5, 8, 9, 21])]
    found = model(name)
    last = np.full(len(texts), 3)
    at_once, _ = found.step(last, found.read(texts))
    for number, text in enumerate(texts):
        state = found.start(1)
        for token in text:
            _, state = found.step(np.array([token]), state)
        one_by_one, _ = found.step(last[:1], state)
        np.testing.assert_allclose(at_once[number], one_by_one[0], atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_nobody_sees_ahead_or_into_another_document(name):
    first, second, other = documents([20, 20, 6])
    second = np.concatenate([first[:12], second[12:]])
    found = model(name)
    one, two = (found.log_probabilities(np.concatenate([text, other])) for text in (first, second))
    np.testing.assert_allclose(one[:12], two[:12], atol=1e-6)
    np.testing.assert_allclose(one[22:], two[22:], atol=1e-6)
    np.testing.assert_allclose(one[22:], found.log_probabilities(other), atol=1e-5)


def test_a_transformer_sees_from_half_a_context_to_a_whole_one():
    seen = [length - first_seen(length, CONTEXT) for length in range(40)]
    assert seen[: CONTEXT + 1] == list(range(CONTEXT + 1))
    assert set(seen[CONTEXT:]) == set(range(CONTEXT // 2 + 1, CONTEXT + 1))


@pytest.mark.parametrize("rows", [2, 3])
def test_states_follow_their_rows(rows):
    for name in NETWORKS:
        found, texts = model(name), [text[:-1] for text in documents([3, 11, 6])]
        state = found.read(texts)
        kept = np.array([2, 0, 0][:rows])
        moved, _ = found.step(np.full(rows, 4), found.only(state, kept))
        still, _ = found.step(np.full(3, 4), found.read(texts))
        np.testing.assert_allclose(moved, still[kept], atol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(8, 4), (8, 8), (5, 3)])
def test_windows_foretell_every_token_once_and_begin_where_there_is_enough_before_it(size, stride):
    lengths = np.array([2, 9, 10, 1, 40, 0])
    rows = Sequences(np.arange(lengths.sum()), np.cumsum(lengths) - lengths, lengths)
    windows, new = windows_of(rows, size, stride)
    assert windows.lengths.max() <= size + 1
    told = [
        windows.starts[i] + at for i in range(len(windows)) for at in range(new[i], windows.lengths[i])
    ]
    wanted = [rows.starts[i] + at for i in range(len(rows)) for at in range(1, lengths[i])]
    assert sorted(told) == wanted


def test_some_documents_are_held_out_and_of_few_stretches_all_over_each():
    many = Sequences(np.zeros(1000, np.int32), np.arange(0, 1000, 10), np.full(100, 10))
    learned, held_out = split(many, LanguageTraining(validation_fraction=0.1), seed=0)
    assert (len(learned), len(held_out)) == (90, 10)
    assert sorted([*learned.starts, *held_out.starts]) == many.starts.tolist()
    few = Sequences(np.zeros(1000, np.int32), np.array([0, 900]), np.array([900, 100]))
    learned, held_out = split(few, LanguageTraining(validation_fraction=0.1), seed=0)
    assert (held_out.starts.tolist(), held_out.lengths.tolist()) == ([405, 945], [90, 10])
    assert learned.starts.tolist() == [0, 495, 900, 955]
    assert learned.lengths.tolist() == [405, 405, 45, 45]
    long = Sequences(np.zeros(10_202, np.int32), np.array([0, 2, 102]), np.array([2, 100, 10_100]))
    learned, held_out = split(long, LanguageTraining(validation_fraction=0.1), seed=0)
    assert (held_out.starts.tolist(), held_out.lengths.tolist()) == ([0, 47, 2_374, 7_424], [2, 10, 505, 505])
    assert learned.starts.tolist() == [2, 57, 102, 2_879, 7_929]
    assert (learned.starts + learned.lengths).tolist() == [47, 102, 2_374, 7_424, 10_202]


TEXTS = [f"the {animal} sat on the {place}." for animal in ("cat", "dog", "hen", "fox") for place in ("mat", "log")] * 6


def test_where_documents_end_is_learned_from_few_of_them():
    family = replace(NETWORKS["lstm"], dropout=0.0, learning_rate=2e-2, layers=1)
    few = [" ".join(TEXTS[i : i + 6]) for i in range(8)]
    model = scansion.LanguageModel(family, tokens="words", training=BRIEF, processes=1, random_state=0).fit(few)
    assert max(each.bits[-1] for each in model.surprisal(few)) < 5  # never met, ends took more than ten


@pytest.mark.parametrize("name", NETWORKS)
def test_every_family_learns_what_it_reads_and_its_folder_says_the_same(name, tmp_path):
    family = replace(NETWORKS[name], dropout=0.0, learning_rate=2e-2, layers=1)
    fitted = scansion.LanguageModel(family, tokens="characters", training=BRIEF, processes=1, random_state=0).fit(TEXTS)
    assert fitted.evaluate(TEXTS).bits_per_byte < 2.2  # of single characters alone about 3.9
    again = scansion.LanguageModel(family, tokens="characters", training=BRIEF, processes=1, random_state=0).fit(TEXTS)
    assert np.array_equal(again.bits(TEXTS), fitted.bits(TEXTS))
    fitted.save(tmp_path / "model")
    loaded = scansion.load(tmp_path / "model")
    assert np.array_equal(loaded.bits(TEXTS), fitted.bits(TEXTS))
    assert loaded.generate("the c", 20, random_state=3) == fitted.generate("the c", 20, random_state=3)
    together = fitted.generate(["the", "the cat sat on", ""], 30, random_state=3)
    assert together == [fitted.generate(each, 30, random_state=3) for each in ("the", "the cat sat on", "")]


def test_too_little_text_is_an_error_that_says_so():
    with pytest.raises(DataError, match="too little text to learn from"):
        scansion.LanguageModel(NETWORKS["lstm"], tokens="characters", processes=1).fit(["a"])


def test_padding_and_beginnings_are_never_written():
    found = model("lstm").network
    with torch.no_grad():
        found.head.bias[[0, 1]] = 50.0
    fitted = scansion.LanguageModel(NETWORKS["lstm"], tokens="characters", training=BRIEF, processes=1, random_state=0)
    fitted.fit(TEXTS).fitted_.model.network.head.bias.data[[0, 1]] = 50.0
    assert len(fitted.generate("t", 40, random_state=0)) > 0


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_writing_takes_no_more_memory_than_a_context_however_long_it_goes_on(name):
    family = replace(NETWORKS[name], layers=1, **({} if name == "lstm" else {"context": 128}))
    found = NeuralLanguage(build_language(family, VOCABULARY, 0.0, seed=1).eval(), family.context)
    token, state, sizes = np.array([4]), found.start(1), []
    for _ in range(1_000):
        _, state = found.step(token, state)
        held = [*state.states] if name == "lstm" else [state.tokens, *(each.read for each in state.windows)]
        sizes.append(sum(each.numel() for each in held))
    assert len(set(sizes[128:])) == 1
    if name != "lstm":
        assert {each.read.shape[3] for each in state.windows} == {128}
