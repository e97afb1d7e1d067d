"""N-grams and a network as one model."""

from dataclasses import replace

import numpy as np
import pytest

import scansion
from scansion.errors import UsageError
from scansion.families.causal_transformer import CausalTransformer
from scansion.families.interpolated import Interpolated, weight_of_first
from scansion.families.recurrent_language_model import LSTMLanguageModel
from scansion.learning.training import LanguageTraining
from scansion.models.interpolation import parts_of
from scansion.randomness import stream
from scansion.tasks.language_interpolation import places_of
from scansion.text.batches import Sequences
from scansion.text.subword_tokenizer import BEGIN, END

TEXTS = [f"the {animal} sat on the {place}." for animal in ("cat", "dog", "hen", "fox") for place in ("mat", "log")] * 6
NETWORKS = {
    "transformer": CausalTransformer(width=16, heads=2, layers=1, feed_forward=32, context=8, learning_rate=2e-2),
    "lstm": LSTMLanguageModel(width=8, hidden_size=12, window=8, learning_rate=2e-2),
}
BRIEF = LanguageTraining(max_tokens=1, min_epochs=5, max_epochs=5, target_steps=50, min_batch_tokens=100)


@pytest.fixture(scope="module", params=NETWORKS)
def fitted(request):
    family = Interpolated(order=3, network=NETWORKS[request.param])
    return scansion.LanguageModel(family, tokens="characters", training=BRIEF, processes=1, random_state=0).fit(TEXTS)


def test_the_weight_is_the_likeliest_of_all():
    random = stream(0, "tokens")
    first, second = np.log(random.uniform(0.01, 1, (2, 500)))
    grid = np.linspace(0, 1, 2_001)[:, None]
    likelihood = np.log(grid * np.exp(first) + (1 - grid) * np.exp(second)).sum(axis=1)
    assert weight_of_first(first, second) == pytest.approx(grid[likelihood.argmax(), 0], abs=1e-3)


@pytest.mark.parametrize(("first", "second", "weight"), [
    ([-1.0, -1.0], [-2.0, -3.0], 1), ([-2.0, -3.0], [-1.0, -1.0], 0), ([-np.inf, -1.0], [-1.0, -np.inf], 0.5),
    ([-1.0, -2.0], [-1.0, -2.0], 0.5), ([], [], 0.5), ([-900.0, -1.0], [-1.0, -900.0], 0.5),
])
def test_of_a_part_that_is_always_better_there_is_nothing_but_it(first, second, weight):
    assert weight_of_first(np.array(first), np.array(second)) == pytest.approx(weight, abs=2e-3)


def test_every_probability_is_the_weighed_sum_of_its_parts(fitted):
    model, sequences = fitted.fitted_.model, fitted.fitted_.encode(TEXTS[:5])
    parts = [np.exp(part.log_probabilities(sequences.ids)) for part in (model.network, model.counted)]
    mixed = model.weight * parts[0] + (1 - model.weight) * parts[1]
    np.testing.assert_allclose(np.exp(model.log_probabilities(sequences.ids)), mixed, rtol=1e-5)
    assert 0 < model.weight < 1


def test_one_step_after_the_other_is_the_whole_document_at_once(fitted):
    model, sequences = fitted.fitted_.model, fitted.fitted_.encode(TEXTS[:1])
    tokens, state = sequences.ids[:], fitted.fitted_.model.start(1)
    at_once = model.log_probabilities(sequences.ids)
    assert (tokens[0], tokens[-1]) == (BEGIN, END)
    for last, token, expected in zip(tokens, tokens[1:], at_once[1:], strict=False):
        scores, state = model.step(np.array([last]), state)
        assert scores[0, token] == pytest.approx(expected, abs=1e-5)
        assert np.exp(scores).sum() == pytest.approx(1, abs=1e-5)
    again, _ = model.step(tokens[5:6], model.only(model.read([tokens[:2], tokens[:5]]), np.array([1])))
    assert again[0, tokens[6]] == pytest.approx(at_once[6], abs=1e-5)


def test_a_folder_says_and_writes_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = scansion.load(tmp_path / "model")
    assert loaded.family == fitted.family
    assert np.array_equal(loaded.bits(TEXTS), fitted.bits(TEXTS))
    together = loaded.generate(["the", "the cat sat on", ""], 20, random_state=3)
    assert together == [fitted.generate(each, 20, random_state=3) for each in ("the", "the cat sat on", "")]


def test_what_is_written_without_chance_is_the_likeliest_of_the_weighed_sum(fitted):
    model, tokens = fitted.fitted_.model, fitted.fitted_.encode(["the "]).ids[:-1]
    scores, _ = model.step(tokens[-1:], model.read([tokens[:-1]]))
    (likeliest,) = fitted.fitted_.units.shown([int(scores[0].argmax())])
    assert fitted.generate("the ", 1, temperature=0) == likeliest


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_with_all_weight_on_one_part_it_is_that_part(fitted, weight):
    whole = replace(fitted.fitted_.model, weight=weight)
    part, sequences = (whole.counted, whole.network)[int(weight)], fitted.fitted_.encode(TEXTS[:3])
    np.testing.assert_allclose(
        whole.log_probabilities(sequences.ids), part.log_probabilities(sequences.ids), rtol=1e-6
    )


def test_the_places_of_rows_are_those_of_their_tokens():
    rows = Sequences(np.arange(10), np.array([1, 3, 8]), np.array([2, 3, 2]))
    assert np.flatnonzero(places_of(rows)).tolist() == [1, 2, 3, 4, 5, 8, 9]


def test_a_network_is_named_or_configured_and_nothing_else():
    assert Interpolated(network="lstm") == Interpolated(network=LSTMLanguageModel())
    with pytest.raises(UsageError, match="There is no network 'n-grams'"):
        Interpolated(network="n-grams")
    with pytest.raises(UsageError, match="A network is rnn, gru, lstm"):
        Interpolated(network=scansion.KneserNey())
    with pytest.raises(UsageError, match="order"):
        Interpolated(order=0)


def test_arrays_that_are_no_two_models_are_refused(fitted):
    arrays = fitted.fitted_.model.state()
    assert parts_of(arrays)[2] == fitted.fitted_.model.weight
    for wrong in ({"weight": np.array([1.5])}, {"other": np.zeros(1)}, {"weight": np.ones(2)}):
        with pytest.raises(ValueError, match="no two models"):
            parts_of(arrays | wrong)
