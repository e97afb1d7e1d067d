"""Looking at a translation: what each word needed, and where words are aligned."""

import numpy as np
import pytest
import torch

import scansion
from scansion.families.catalogue import name_of
from scansion.layers.attention_capture import AttentionLayer
from scansion.learning.seq2seq import negative_log_likelihoods
from scansion.learning.training import TranslationTraining
from scansion.text.pairs import Pairs
from small_families import small

ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


def backwards(rows, seed):
    """Digits in one language, and the same from the last to the first in the other; no digit twice in a row's text."""
    random = np.random.default_rng(seed)
    drawn = [random.permutation(8)[: random.integers(2, 6)] for _ in range(rows)]
    return [" ".join(ENGLISH[digit] for digit in row) for row in drawn], [
        " ".join(GERMAN[digit] for digit in row[::-1]) for row in drawn
    ]


def translator(family, epochs, rows=200):
    training = TranslationTraining(
        min_epochs=epochs, max_epochs=epochs, min_batch_tokens=500, max_batch_tokens=500, label_smoothing=0.0
    )
    model = scansion.Translator(family, vocab_size=320, training=training, processes=1, random_state=0)
    return model.fit(*backwards(rows, 0))


OPTIONS = {"layers": 2, "feed_forward": 16, "dropout": 0.1, "max_length": 1_024, "learning_rate": 2e-3}
FAMILIES = {name: small(kind, **OPTIONS) for name, kind in scansion.TRANSLATION_FAMILIES.items()}
ATTENDS = {"rnn": True, "lstm-without-attention": False, "gru": True, "lstm": True, "transformer": True}


@pytest.fixture(scope="module", params=list(FAMILIES))
def model(request):
    return translator(FAMILIES[request.param], 1)


def log_probability(model, source, target):
    pair = Pairs(model.fitted_.tokenizer.encode([source]), model.fitted_.tokenizer.encode([target]))
    return -negative_log_likelihoods(model.fitted_.model, pair)[0]


def test_the_words_log_probabilities_add_up_to_the_translations(model):
    found = model.look("one two unforgettable", "zwei eins unvergesslich")
    assert found.targets == ("zwei", "eins", "unvergesslich", "<end>")
    assert found.log_probabilities.sum() == pytest.approx(log_probability(model, found.source, found.target), abs=1e-4)
    assert "</html>" in found.html()


def test_what_a_word_needed_is_what_it_loses_without_it(model):
    found = model.look("one two three", "drei zwei eins")
    assert found.lost.shape == (4, 3)
    for number, shorter in enumerate(("two three", "one three", "one two")):
        lost = found.log_probabilities.sum() - log_probability(model, f"{shorter}", found.target)
        if number:  # the first word of a text has no blank before it in the text, and one in its subwords
            assert found.lost[:, number].sum() == pytest.approx(lost, abs=1e-4)


def test_recording_changes_nothing_and_a_family_without_attention_shows_none(model):
    found = model.look("one two three")
    attends = any(isinstance(layer, AttentionLayer) for layer in model.fitted_.model.modules())
    assert attends == ATTENDS.get(name_of(model.fitted_.family), attends)
    if not attends:
        assert found.attention == ()
        assert "does not attend" in found.html()
    else:
        assert found.fidelity < 1e-4
        assert np.allclose(found.attention[0].weights.sum(axis=-1), 1, atol=1e-5)


def test_the_effect_of_a_head_is_measured_on_the_whole_translation():
    model = translator(FAMILIES["transformer"], 1)
    found = model.look("one two three", "drei zwei eins")
    across, source, target = found.attention
    for maps, layers in (
        (across, [block.source_attention for block in model.fitted_.model.network.decoder]),
        (source, [block.attention for block in model.fitted_.model.network.encoder]),
        (target, [block.own_attention for block in model.fitted_.model.network.decoder]),
    ):
        layer = layers[1]
        kept = layer.output.weight.detach().clone()
        with torch.no_grad():
            layer.output.weight[:, 8:] = 0  # the second head's columns
            without = log_probability(model, found.source, found.target)
            layer.output.weight.copy_(kept)
        assert maps.effects[1, 1] == pytest.approx(found.log_probabilities.sum() - without, abs=1e-4)


def test_odd_texts_are_looked_at_too(model):
    for source, target in (("", "eins"), ("one", ""), (" ", " "), ("<b>&", "½")):
        assert "</html>" in model.look(source, target).html()


def test_words_are_whole_however_their_letters_are_cut(model):
    assert model.look("né 日本", "„“ é 日本").targets == ("„", "“", "é", "日本", "<end>")


def test_words_are_aligned_where_they_must_be():
    family = scansion.TransformerEncoderDecoder(
        width=64, heads=4, layers=2, feed_forward=128, dropout=0.0, learning_rate=3e-3
    )
    model = translator(family, 30, rows=1_000)
    sources, targets = backwards(40, 1)
    right = []
    for source, target in zip(sources, targets, strict=True):
        found = model.look(source, target)
        across, last = found.attention[0], len(source.split()) - 1
        words = np.array(across.column_words)[found.alignment()]
        right += [words[row] == last - word for row, word in enumerate(across.row_words) if word >= 0]
    assert np.mean(right) >= 0.95
