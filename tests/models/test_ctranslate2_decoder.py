"""Transformers that write inside CTranslate2: the same text as scansion's own where the likeliest token is taken."""

from dataclasses import replace

import ctranslate2
import pytest

import scansion
from decoders import folder_of
from scansion.decoding.filters import Sampling
from scansion.errors import StorageError, UsageError
from scansion.learning.training import LanguageTraining

TEXTS = ["the king is dead", "long live the queen", "the  queen!\nsaid ", "\u00fcber a"] * 8
BRIEF = LanguageTraining(max_tokens=1, min_epochs=6, max_epochs=6, target_steps=40, min_batch_tokens=100)
SMALL = scansion.CausalTransformer(width=12, heads=3, layers=2, feed_forward=24, context=32, learning_rate=2e-2)
GREEDY = Sampling(0.0)
PROMPTS = ["the", "", "long live", "\u00fcb\U0001f642"]


def fitted(family, tokens: str) -> scansion.LanguageModel:
    return scansion.LanguageModel(family, tokens=tokens, training=BRIEF, processes=1, random_state=0).fit(TEXTS)


@pytest.fixture(scope="module")
def model():
    return fitted(SMALL, "characters")


def texts_of(writer, prompts, max_tokens, how=GREEDY, stop=(), seed=0):
    found, ends = [""] * len(prompts), [None] * len(prompts)
    for each in writer.writing(prompts, how, max_tokens, stop, seed):
        found[each.prompt] += each.text
        ends[each.prompt] = each.ended or ends[each.prompt]
    return found, ends


@pytest.mark.parametrize(("positions", "tokens"), [
    ("sinusoidal", "characters"), ("rotary", "bytes"), ("rotary", "subwords"), ("sinusoidal", "words"),
])  # fmt: skip
def test_the_likeliest_text_is_that_of_scansion_itself(positions, tokens, tmp_path):
    model = fitted(replace(SMALL, width=24, positions=positions), tokens)
    engine = scansion.export(model, "ctranslate2")
    for stop in ((), ("e",)):
        assert texts_of(engine, PROMPTS, 12, stop=stop) == texts_of(model, PROMPTS, 12, stop=stop)
    engine.save(tmp_path / "f")
    names = [engine.names[token] for token in model.fitted_.encode(["the"]).ids[:-1]]
    again = ctranslate2.Generator(str(tmp_path / "f")).generate_batch(
        [names], max_length=12, include_prompt_in_result=False
    )
    spelled = b"".join(model.fitted_.units.spellings[token] for token in again[0].sequences_ids[0])
    assert spelled.decode("utf-8", "replace") == texts_of(model, ["the"], 12)[0][0]
    with pytest.raises(StorageError, match="is there already"):
        engine.save(tmp_path / "f")


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_pretrained_decoders_write_the_same(kind, tmp_path):
    folder_of(kind, tmp_path / "theirs", tied=kind == "gpt2")
    model = scansion.LanguageModel.from_pretrained(tmp_path / "theirs")
    prompts = ["the king", "a"]
    assert texts_of(scansion.export(model, "ctranslate2"), prompts, 8) == texts_of(model, prompts, 8)


def test_what_does_not_go_is_refused_with_a_sentence(model):
    engine = scansion.export(model, "ctranslate2")
    with pytest.raises(UsageError, match="penalty for repetition is another one"):
        texts_of(engine, ["a"], 5, Sampling(0.0, repetition_penalty=1.5))
    with pytest.raises(UsageError, match="Take the likeliest token with --temperature 0"):
        texts_of(engine, ["a"], 5, Sampling(0.5))
    assert len(texts_of(engine, ["abc"], 29)[0][0]) <= 29
    with pytest.raises(UsageError, match=r"the longest prompt has 3.*at most 29 tokens"):
        texts_of(engine, ["abc", "a"], 30)
    with pytest.raises(UsageError, match=r"the longest prompt has 32\. Shorten it, or leave out"):
        texts_of(engine, ["a" * 32], 1)
    with pytest.raises(UsageError, match="at least one token"):
        texts_of(engine, ["a"], 0)
    with pytest.raises(UsageError, match="precision is float32 or int8"):
        scansion.export(model, "ctranslate2", precision="half")
    with pytest.raises(UsageError, match="no place for vectors of n-grams"):
        scansion.export(fitted(replace(SMALL, ngrams=2), "bytes"), "ctranslate2")
    with pytest.raises(UsageError, match="runs Transformers only"):
        scansion.export(fitted(scansion.LSTMLanguageModel(width=8, hidden_size=8), "bytes"), "ctranslate2")
    with pytest.raises(UsageError, match="format of Transformers, and this is the family n-grams"):
        scansion.export(scansion.LanguageModel("n-grams", tokens="bytes").fit(TEXTS), "ctranslate2")
