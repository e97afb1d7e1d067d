"""Looking at a translation: what each word needed, and where words are aligned."""

import numpy as np
import pytest
import torch

import scansion
from scansion.learning.seq2seq import TranslationTraining, negative_log_likelihoods
from scansion.text.pairs import Pairs

ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


def backwards(rows, seed):
    """Digits in one language, and the same from the last to the first in the other; no digit twice in a row's text."""
    random = np.random.default_rng(seed)
    drawn = [random.permutation(10)[: random.integers(3, 9)] for _ in range(rows)]
    return [" ".join(ENGLISH[digit] for digit in row) for row in drawn], [
        " ".join(GERMAN[digit] for digit in row[::-1]) for row in drawn
    ]


def translator(family, epochs, rows=200):
    training = TranslationTraining(
        min_epochs=epochs, max_epochs=epochs, min_batch_tokens=1_000, max_batch_tokens=1_000, label_smoothing=0.0
    )
    model = scansion.Translator(family, pieces=320, training=training, processes=1, random_state=0)
    return model.fit(*backwards(rows, 0))


DOCUMENT_FAMILIES = {
    "transformer": scansion.TransformerEncoderDecoder(width=16, heads=2, layers=2, feed_forward=16),
    "lstm": scansion.LSTMEncoderDecoder(width=16, hidden=16),
    "rnn": scansion.RNNEncoderDecoder(width=16, hidden=16),
    "lstm-without-attention": scansion.SequenceToSequence(width=16, hidden=16),
}


@pytest.fixture(scope="module", params=list(DOCUMENT_FAMILIES))
def model(request):
    return translator(DOCUMENT_FAMILIES[request.param], 1)


def chance(model, source, target):
    pair = Pairs(model.subwords_.encode([source]), model.subwords_.encode([target]))
    return -negative_log_likelihoods(model.writer_, pair)[0]


def test_the_words_chances_add_up_to_the_translations(model):
    found = model.look("one two unforgettable", "zwei eins unvergesslich")
    assert found.targets == ("zwei", "eins", "unvergesslich", "<end>")
    assert found.chances.sum() == pytest.approx(chance(model, found.source, found.target), abs=1e-4)
    assert "</html>" in found.html()


def test_what_a_word_needed_is_what_it_loses_without_it(model):
    found = model.look("one two three", "drei zwei eins")
    assert found.lost.shape == (4, 3)
    for number, shorter in enumerate(("two three", "one three", "one two")):
        lost = found.chances.sum() - chance(model, f"{shorter}", found.target)
        if number:  # the first word of a text has no blank before it in the text, and one in its pieces
            assert found.lost[:, number].sum() == pytest.approx(lost, abs=1e-4)


def test_recording_changes_nothing_and_a_family_without_attention_says_so(model):
    found = model.look("one two three")
    if model.family_ == DOCUMENT_FAMILIES["lstm-without-attention"]:
        assert found.attention == ()
        assert "does not attend" in found.html()
    else:
        assert found.fidelity < 1e-4
        assert np.allclose(found.attention[0].weights.sum(axis=-1), 1, atol=1e-5)


def test_the_effect_of_a_head_is_measured_on_the_whole_translation():
    model = translator(DOCUMENT_FAMILIES["transformer"], 1)
    found = model.look("one two three", "drei zwei eins")
    across, source, target = found.attention
    for maps, layers in (
        (across, [block.source_attention for block in model.writer_.network.decoder]),
        (source, [block.attention for block in model.writer_.network.encoder]),
        (target, [block.own_attention for block in model.writer_.network.decoder]),
    ):
        layer = layers[1]
        kept = layer.output.weight.detach().clone()
        with torch.no_grad():
            layer.output.weight[:, 8:] = 0  # the second head's columns
            without = chance(model, found.source, found.target)
            layer.output.weight.copy_(kept)
        assert maps.effects[1, 1] == pytest.approx(found.chances.sum() - without, abs=1e-4)


def test_odd_texts_are_looked_at_too(model):
    for source, target in (("", "eins"), ("one", ""), (" ", " "), ("<b>&", "½")):
        assert "</html>" in model.look(source, target).html()


def test_words_are_whole_however_their_letters_are_cut(model):
    assert model.look("né 日本", "„“ é 日本").targets == ("„", "“", "é", "日本", "<end>")


def test_words_are_aligned_where_they_must_be():
    family = scansion.TransformerEncoderDecoder(
        width=64, heads=4, layers=2, feed_forward=128, dropout=0.0, learning_rate=2e-3
    )
    model = translator(family, 30, rows=4_000)
    sources, targets = backwards(60, 1)
    right = []
    for source, target in zip(sources, targets, strict=True):
        found = model.look(source, target)
        across, last = found.attention[0], len(source.split()) - 1
        words = np.array(across.column_words)[found.alignment()]
        right += [words[row] == last - word for row, word in enumerate(across.row_words) if word >= 0]
    assert np.mean(right) >= 0.95
