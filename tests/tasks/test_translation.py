"""A translator, from pairs of texts to a folder and back: small mappings that are real ones."""

import copy
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from sklearn.base import clone

import scansion
from scansion.errors import NotFittedError, UnsafeFolderError, UsageError
from scansion.families.catalogue import TRANSLATION_FAMILIES, name_of
from scansion.families.transformer_encoder_decoder import TransformerEncoderDecoder
from scansion.layers.attention_capture import AttentionLayer, recorded
from scansion.learning.seq2seq import batch_of
from scansion.learning.training import TranslationTraining
from scansion.models.native_translator import NativeTranslator
from scansion.tasks.translator import Translator
from scansion.text.pairs import Pairs
from scansion.text.subword_tokenizer import END, NEVER_WRITTEN, SPECIAL, SubwordTokenizer
from small_families import small

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    """271 -> "two hundred seventy one", from 20 up and without teens."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    words = [ONES[hundreds], "hundred"] if hundreds else []
    words += [TENS[tens]] if tens else []
    return " ".join([*words, ONES[ones]] if ones else words)


NUMBERS = [number for number in range(20, 1_000) if number % 100 // 10 != 1]
DIGITS = [" ".join(str(number)) for number in NUMBERS]
WORDS = [in_words(number) for number in NUMBERS]
OPTIONS = {"dropout": 0.2, "max_length": 1_024, "learning_rate": 2e-3}
SMALL = {name: small(kind, **OPTIONS) for name, kind in TRANSLATION_FAMILIES.items()}
ATTENDS = {"rnn": True, "lstm-without-attention": False, "gru": True, "lstm": True, "transformer": True}
QUICK = TranslationTraining(min_epochs=1, max_epochs=1, min_batch_tokens=400, max_batch_tokens=400)


@cache
def hardly_learned(name):
    """A translator that has read 300 pairs once."""
    model = Translator(SMALL[name], vocab_size=400, training=QUICK, processes=1, random_state=0)
    return model.fit(DIGITS[:300], WORDS[:300])


@pytest.fixture(scope="module", params=list(SMALL))
def quick(request):
    return hardly_learned(request.param)


def drawn_letters(rows):
    """Texts of two to four of ten letters, each letter once, each text once."""
    random = np.random.default_rng(0)
    letters = list("abcdefghij")
    texts = {" ".join(random.choice(letters, random.integers(2, 5), replace=False)) for _ in range(2 * rows)}
    return sorted(texts)[:: max(1, len(texts) // rows)][:rows]


LETTERS = drawn_letters(3_000)
MAPPINGS = {
    "letters backwards": (LETTERS, [text[::-1] for text in LETTERS]),
    "letters in order": (LETTERS, [" ".join(sorted(text.split())) for text in LETTERS]),
}
HELD_OUT = 100


def learned(sources, targets):
    """A Transformer that has read some 30,000 pairs, and its answers to pairs that it has not read, with the truth."""
    rows = np.random.default_rng(0).permutation(len(sources))
    train, test = rows[HELD_OUT:], rows[:HELD_OUT]
    family = TransformerEncoderDecoder(
        width=64, heads=4, layers=2, feed_forward=128, dropout=0.1, learning_rate=3e-3
    )
    epochs = 30_000 // len(train)
    training = TranslationTraining(
        min_epochs=epochs, max_epochs=epochs, min_batch_tokens=500, max_batch_tokens=500, label_smoothing=0.0
    )
    model = Translator(family, vocab_size=400, training=training, processes=1, random_state=0)
    model.fit([sources[row] for row in train], [targets[row] for row in train])
    return model, model.predict([sources[row] for row in test]), [targets[row] for row in test]


@pytest.fixture(scope="module")
def numbers_in_words():
    return learned(DIGITS, WORDS)


def test_the_transformer_learns_to_write_numbers_in_words(numbers_in_words):
    _, found, wanted = numbers_in_words
    assert np.mean([answer == right for answer, right in zip(found, wanted, strict=True)]) >= 0.97


@pytest.mark.parametrize("mapping", ["letters backwards", pytest.param("letters in order", marks=pytest.mark.long)])
def test_the_transformer_learns_a_mapping_that_is_a_real_one(mapping):
    _, found, wanted = learned(*MAPPINGS[mapping])
    assert np.mean([answer == right for answer, right in zip(found, wanted, strict=True)]) >= 0.97


def test_answers_come_in_the_order_of_the_texts_whatever_the_batch(quick):
    texts = DIGITS[300:330]
    together = quick.predict(texts, beam=3)
    assert together == [quick.predict([text], beam=3)[0] for text in texts]
    assert together == quick.predict(texts[::-1], beam=3)[::-1]


def test_alternatives_are_distinct_and_sorted(quick):
    found = quick.translate(DIGITS[5], beam=4, alternatives=3)
    assert len({each.text for each in found}) == len(found) <= 3
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert found[0].text == quick.predict([DIGITS[5]], beam=4)[0]
    with pytest.raises(UsageError, match="A beam of 2 holds 1 to 2 alternatives; got 3"):
        quick.translate(DIGITS[5], beam=2, alternatives=3)


def test_every_familys_folder_answers_the_same_in_a_fresh_process(tmp_path):
    texts = DIGITS[300:304]
    for name in SMALL:
        hardly_learned(name).save(tmp_path / name)
    code = "import scansion, sys\nfor name in sys.argv[5:]: print(scansion.load(name).predict(sys.argv[1:5]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code, *texts, *SMALL], env=environment, cwd=tmp_path, capture_output=True, text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(hardly_learned(name).predict(texts)) for name in SMALL]
    for name in SMALL:
        loaded = scansion.load(tmp_path / name)
        assert (loaded.get_params()["vocab_size"], loaded.fitted_.family) == (400, hardly_learned(name).fitted_.family)


def test_the_same_seed_gives_the_same_translator_and_fit_twice_is_fit_once():
    model = Translator(SMALL["transformer"], vocab_size=300, training=QUICK, processes=1, random_state=3)
    first = model.fit(DIGITS[:60], WORDS[:60]).predict(DIGITS[60:70])
    assert model.fit(DIGITS[:60], WORDS[:60]).predict(DIGITS[60:70]) == first
    assert clone(model).fit(DIGITS[:60], WORDS[:60]).predict(DIGITS[60:70]) == first


def test_odd_texts_are_translated_too(quick):
    found = quick.predict(["", "  ", "😀" * 50, "x\ny"])
    assert (len(found), found[:2]) == (4, ["", ""])  # nothing is made up where nothing was written
    assert quick.predict([]) == []


@pytest.mark.parametrize("empty", ["", "  ", "\t\n", "\u200b", "\ufeff \u00ad\ufe0f", "\u2028\u3000"])
def test_an_empty_text_is_an_empty_text_in_every_method(quick, empty):
    assert quick.predict([empty, DIGITS[5]]) == ["", *quick.predict([DIGITS[5]])]
    (found,) = quick.translate(empty, beam=4, alternatives=3)
    assert found.text == ""
    drawn = quick.sample([DIGITS[5], empty, DIGITS[6]])
    assert drawn[1] == ""
    assert drawn[2] == quick.sample([DIGITS[5], "7", DIGITS[6]])[2]  # what others draw stays as it was
    assert quick.score([empty], [""]) == quick.score([""], [""])
    page = quick.look(empty)
    assert (page.target, page.targets) == ("", ("<end>",))
    assert found.log_probability == pytest.approx(float(quick.look("").log_probabilities.sum()), abs=1e-4)
    if attends(quick):
        assert quick.attention(empty).target == ["<end>"]


def insisting(quick):
    """The same translator, by far most eager to write what no text holds."""
    fitted = copy.deepcopy(quick.fitted_)
    with torch.no_grad():
        fitted.model.head.bias[list(NEVER_WRITTEN)] = 50.0
    return Translator.from_fitted(fitted)


def test_reserved_tokens_are_never_written_by_any_decoder(quick):
    model, texts = insisting(quick), DIGITS[300:304]
    found = [*model.predict(texts, beam=1), *model.predict(texts, beam=5), *model.sample(texts)]
    found += model.sample(texts, temperature=3.0, top_k=2)
    found += [each.text for each in model.translate(DIGITS[5], beam=30, alternatives=30)]
    assert not any(name in text for text in found for name in SPECIAL)


@pytest.mark.parametrize("beam", [0, -1, 2.5, "3", True])
def test_a_beam_is_a_number_of_hypotheses_and_none_is_the_usual_one(quick, beam):
    assert quick.predict([DIGITS[5]], beam=None) == quick.predict([DIGITS[5]])
    for call in (lambda: quick.predict([DIGITS[5]], beam=beam), lambda: quick.translate(DIGITS[5], beam=beam)):
        with pytest.raises(UsageError, match="A beam is a whole number of hypotheses"):
            call()


def test_what_nothing_can_be_drawn_by_is_refused(quick):
    for options, said in (({"temperature": 0}, "above 0"), ({"temperature": float("nan")}, "above 0"),
                          ({"top_k": 0}, "at least 1")):
        with pytest.raises(UsageError, match=said):
            quick.sample([DIGITS[5]], **options)


def test_what_does_not_fit_together_is_refused():
    model = Translator(SMALL["rnn"], vocab_size=300, training=QUICK)
    with pytest.raises(NotFittedError, match=r"Call fit\(sources, targets\) first"):
        model.predict(["a"])
    with pytest.raises(UsageError, match="3 sources and 2 targets"):
        model.fit(["a", "b", "c"], ["x", "y"])
    with pytest.raises(UsageError, match="0 sources and 0 targets"):
        model.fit([], [])
    with pytest.raises(UsageError, match="no family 'transformr'; did you mean 'transformer'"):
        Translator("transformr").fit(["a"], ["b"])
    elsewhere = "'n-grams' is a family for documents and language models"
    with pytest.raises(UsageError, match=rf"no family 'n-grams'; known: 'rnn'.* {elsewhere}"):
        Translator("n-grams").fit(["a"], ["b"])
    with pytest.raises(UsageError, match="can be read more than once"):
        model.fit(iter(["a"]), ["b"])


def test_a_vocabulary_that_does_not_fit_is_refused(quick, tmp_path):
    subwords, merges = quick.fitted_.tokenizer.subwords, quick.fitted_.tokenizer.merges
    for broken in ([*merges, ("qq", "zz")], [*merges, ("three", "parts", "here")]):
        fitted = replace(quick.fitted_, tokenizer=SubwordTokenizer(subwords, broken))
        Translator.from_fitted(fitted).save(tmp_path / "model")
        with pytest.raises((UnsafeFolderError, scansion.errors.StorageError)):
            scansion.load(tmp_path / "model")


def test_progress_is_reported():
    model = Translator(SMALL["lstm"], vocab_size=300, training=QUICK, processes=1, random_state=0)
    kinds = [type(event).__name__ for event in model.fitting(DIGITS[:80], WORDS[:80])]
    assert [kind for kind, _ in itertools.groupby(kinds)] == ["Stage", "Step", "Epoch"]
    assert model.fit_report_.perplexity > 1


# --- what is looked at ----------------------------------------------------------------------------------------------


def attends(translator):
    found = any(isinstance(layer, AttentionLayer) for layer in translator.fitted_.model.modules())
    name = name_of(translator.fitted_.family)
    assert found == ATTENDS.get(name, found)
    return found


def test_attention_has_a_row_for_every_token_produced(quick):
    source, target = DIGITS[7], WORDS[7]
    if not attends(quick):
        with pytest.raises(UsageError, match="no attention: the whole source passes through one vector"):
            quick.attention(source, target)
        return
    found = quick.attention(source, target)
    assert "".join(found.source) == f" {source}<end>"
    assert "".join(found.target) == f" {target}<end>"
    layers, heads, rows, columns = found.across.shape
    assert (rows, columns) == (len(found.target), len(found.source))
    for weights in (found.across, found.within_source, found.within_target):
        if weights is not None:
            assert weights.shape[:2] == (layers, heads)
            np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    if found.within_target is not None:
        assert not np.triu(found.within_target, 1).any()
    assert quick.attention(source).target == quick.attention(source, quick.predict([source])[0]).target


def test_the_row_of_a_token_is_what_the_decoder_looked_at_when_it_chose_it(quick):
    """Row t comes from the step that was given everything before token t and answered with token t."""
    if not attends(quick):
        return
    found = quick.attention(DIGITS[7], WORDS[7])
    sources, targets = (quick.fitted_.tokenizer.encode([text]) for text in (DIGITS[7], WORDS[7]))
    batch = batch_of(Pairs(sources, targets), np.zeros(1, np.int64))
    with torch.inference_mode(), recorded(quick.fitted_.model) as maps:
        state = quick.fitted_.model.network.init_state(batch.source, batch.mask, len(found.target))
        for last in batch.decoder_input[0]:
            _, state = quick.fitted_.model.step(last[None], state)
    name = next(name for name in maps if name.endswith(("source_attention", "network.attention")))
    steps = np.stack([each.reshape(-1, len(found.source))[-found.across.shape[1] :].numpy() for each in maps[name]])
    np.testing.assert_allclose(steps.transpose(1, 0, 2), found.across[0], atol=1e-5)


# --- drawing --------------------------------------------------------------------------------------------------------


def test_a_sample_is_a_function_of_the_seed_and_a_cold_one_is_greedy(quick):
    texts = DIGITS[300:306]
    first = quick.sample(texts, random_state=1)
    assert first == quick.sample(texts, random_state=1)
    assert first != quick.sample(texts, random_state=2)
    assert quick.sample(texts, top_k=1) == quick.predict(texts, beam=1)


# --- another engine -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def transformer(numbers_in_words):
    """A Transformer that is sure of its words."""
    return numbers_in_words[0]


def test_ctranslate2_writes_what_the_native_decoder_writes(transformer, tmp_path):
    pytest.importorskip("ctranslate2")
    texts = DIGITS[::3]
    engine = scansion.export(transformer, "ctranslate2")
    mine, theirs = transformer.predict(texts), engine.predict(texts)
    assert np.mean([one == other for one, other in zip(mine, theirs, strict=True)]) >= 0.99
    assert len(set(mine)) > len(texts) // 2
    sources = transformer.fitted_.tokenizer.encode(texts)
    (ours,), (others,) = (
        each.hypotheses(sources, 5, 1)[:1] for each in (NativeTranslator(transformer.fitted_), engine)
    )
    assert others[0].score == pytest.approx(ours[0].score, abs=1e-3)
    assert others[0].log_probability == pytest.approx(ours[0].log_probability, abs=1e-2)
    engine.save(tmp_path / "engine")
    assert (tmp_path / "engine" / "model.bin").exists()
    with pytest.raises(scansion.errors.StorageError, match="is there already"):
        engine.save(tmp_path / "engine")


def test_ctranslate2_never_writes_a_reserved_token_either(transformer, tmp_path):
    library = pytest.importorskip("ctranslate2")
    engine = scansion.export(insisting(transformer), "ctranslate2")
    assert engine.predict(["", "\u200b"]) == ["", ""]
    for beam in (1, 5, 30):
        assert not any(name in text for text in engine.predict(DIGITS[:9], beam=beam) for name in SPECIAL)
    engine.save(tmp_path / "engine")  # and by those who run the folder without scansion
    alone = library.Translator(str(tmp_path / "engine"))
    subwords = [transformer.fitted_.tokenizer.subwords[number] for number in (40, END)]
    drawn = alone.translate_batch([subwords] * 9, beam_size=1, sampling_topk=50, sampling_temperature=2.0)
    assert not {SPECIAL[0], SPECIAL[1]} & {subword for each in drawn for subword in each.hypotheses[0]}


def test_ctranslate2_runs_in_eight_bits(transformer):
    pytest.importorskip("ctranslate2")
    texts = DIGITS[::3]
    before = transformer.predict(texts)
    found = scansion.export(transformer, "ctranslate2", "int8").predict(texts)
    assert np.mean([one == other for one, other in zip(found, before, strict=True)]) > 0.9
    assert transformer.predict(texts) == before  # whose weights are still its own


def test_what_an_engine_cannot_run_is_refused(quick):
    with pytest.raises(UsageError, match="no engine 'ctranslate'; did you mean 'ctranslate2'"):
        scansion.export(quick, "ctranslate")
    with pytest.raises(UsageError, match="float32 or int8"):
        scansion.export(quick, "ctranslate2", "int4")
    with pytest.raises(UsageError, match="Expected a fitted model of scansion, got dict"):
        scansion.export({}, "ctranslate2")
    with pytest.raises(NotFittedError, match="has no model yet"):
        scansion.export(scansion.DocumentClassifier(), "ctranslate2")
    if not isinstance(quick.fitted_.family, TransformerEncoderDecoder):
        with pytest.raises(UsageError, match="runs Transformers only"):
            scansion.export(quick, "ctranslate2")
