"""Language models of one's own as folders of Hugging Face: ``transformers`` finds the same tokens and probabilities."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import scansion
from decoders import folder_of
from scansion.errors import UsageError
from scansion.learning.training import LanguageTraining

TEXTS = ["the king is dead", "long live the queen", "the  queen!\nsaid ", "\u00fcber a"] * 8
BRIEF = LanguageTraining(max_tokens=1, min_epochs=6, max_epochs=6, target_steps=40, min_batch_tokens=100)
SMALL = scansion.CausalTransformer(width=12, heads=3, layers=2, feed_forward=24, context=32, learning_rate=2e-2)


def fitted(family, tokens: str) -> scansion.LanguageModel:
    return scansion.LanguageModel(family, tokens=tokens, training=BRIEF, processes=1, random_state=0).fit(TEXTS)


def compared(model: scansion.LanguageModel, folder, texts: list[str]) -> None:
    theirs, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for text in texts:
        tokens = np.array(model.fitted_.encode([text]).ids[:])
        assert tokenizer(text).input_ids == tokens[:-1].tolist()
        assert tokenizer.decode(tokens[1:-1].tolist()) == text
        with torch.inference_mode():
            logits = theirs(torch.from_numpy(tokens[None].astype(np.int64))).logits[0].log_softmax(dim=1).numpy()
        wanted = model.fitted_.model.log_probabilities(tokens)
        np.testing.assert_allclose(logits[np.arange(len(tokens) - 1), tokens[1:]], wanted[1:], atol=1e-4)


@pytest.mark.parametrize("tokens", ["characters", "bytes", "subwords"])
def test_transformers_finds_the_same_tokens_and_the_same_probabilities(tokens, tmp_path):
    model = fitted(SMALL, tokens)
    assert np.abs(model.fitted_.model.network.head.bias.detach().numpy()).max() > 0.01
    scansion.export(model, "huggingface").save(tmp_path / "f")
    compared(model, tmp_path / "f", [*TEXTS[:4], "never s\u00e9en \U0001f642", "a"])
    again = scansion.load(tmp_path / "f")  # and so does scansion
    np.testing.assert_allclose(again.bits(TEXTS[:4]), model.bits(TEXTS[:4]), rtol=1e-4)
    assert again.generate("the", 10, temperature=0) == model.generate("the", 10, temperature=0)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_pretrained_weights_go_back_as_they_came(kind, tmp_path):
    theirs = folder_of(kind, tmp_path / "theirs", tied=kind == "gpt2")
    scansion.export(scansion.LanguageModel.from_pretrained(tmp_path / "theirs"), "huggingface").save(tmp_path / "ours")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    for name, weights in theirs.state_dict().items():
        assert torch.equal(again.state_dict()[name], weights)
    assert again.config.bos_token_id == theirs.config.bos_token_id


def test_what_has_no_place_in_the_layout_is_refused_with_a_sentence():
    with pytest.raises(UsageError, match="no place for recurrent networks"):
        scansion.export(fitted(scansion.LSTMLanguageModel(width=8, hidden_size=8), "bytes"), "huggingface")
    rotary = scansion.CausalTransformer(width=12, heads=3, layers=1, feed_forward=24, context=32, positions="rotary")
    with pytest.raises(UsageError, match="neither a GPT-2 nor a Llama"):
        scansion.export(fitted(rotary, "bytes"), "huggingface")
    with pytest.raises(UsageError, match="no place for vectors of n-grams"):
        scansion.export(fitted(replace(SMALL, ngrams=2), "bytes"), "huggingface")
    with pytest.raises(UsageError, match="--tokens subwords or characters or bytes"):
        scansion.export(fitted(SMALL, "words"), "huggingface")
    with pytest.raises(UsageError, match="a format of Transformers"):
        scansion.export(scansion.LanguageModel().fit(TEXTS), "huggingface")
