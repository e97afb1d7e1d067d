"""GPT-2 and Llama folders beside ``transformers``, which wrote them: the same probabilities, the same text."""


import numpy as np
import pytest
import torch

import scansion
from decoders import change, folder_of
from scansion.errors import UnsafeFolderError, UsageError
from scansion.layers.rotary import from_side_by_side, rotary_turns, to_side_by_side
from scansion.learning.training import LanguageTraining

KINDS = [(kind, tied) for kind in ("gpt2", "llama") for tied in (True, False)]
TEXTS = ["the king is dead", "", "long live the queen ü!", "a"]
BRIEF = LanguageTraining(max_tokens=1, min_epochs=4, max_epochs=4, target_steps=20, min_batch_tokens=100)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("decoders")


@pytest.fixture(scope="module", params=KINDS, ids=[f"{kind}-{'' if tied else 'un'}tied" for kind, tied in KINDS])
def pair(request, place):
    kind, tied = request.param
    folder = place / f"{kind}-{tied}"
    theirs = folder_of(kind, folder, tied)
    return folder, theirs, scansion.LanguageModel.from_pretrained(folder)


def log_probs(theirs, tokens) -> np.ndarray:
    with torch.inference_mode():
        return theirs(torch.from_numpy(np.array(tokens, np.int64)[None])).logits[0].log_softmax(dim=1).numpy()


def test_every_token_is_as_probable_as_transformers_has_it(pair):
    _, theirs, model = pair
    sequences = model.fitted_.encode(TEXTS)
    found = model.fitted_.model.log_probabilities(sequences.ids)
    for begin, length in zip(sequences.starts, sequences.lengths, strict=True):
        tokens = sequences.ids[begin : begin + length]
        wanted = log_probs(theirs, tokens[:-1])[np.arange(length - 1), tokens[1:]]
        np.testing.assert_allclose(found[begin + 1 : begin + length], wanted, atol=1e-4)


def test_a_step_is_the_whole_read_again_at_every_position_also_past_the_context(pair):
    model = pair[2].fitted_.model
    tokens = np.array([model.begin, *np.random.default_rng(0).integers(3, 200, 80)])
    scores = model.log_probabilities(tokens)
    state, other = model.start(1), model.read([tokens[:5], tokens[:40]])
    for position in range(80):
        log_probs, state = model.step(tokens[position : position + 1], state)
        assert log_probs[0, tokens[position + 1]] == pytest.approx(scores[position + 1], abs=1e-5)
        if position in (5, 40):
            apart, _ = model.step(tokens[[5, 40]], model.only(other, np.arange(2)))
            np.testing.assert_allclose(apart[int(position == 40)], log_probs[0], atol=1e-5)


def test_the_likeliest_text_is_that_of_transformers(pair):
    _, theirs, model = pair
    for prompt in ("the king", ""):
        tokens = model.fitted_.encode([prompt]).ids[:-1]
        with torch.inference_mode():
            wanted = theirs.generate(
                torch.tensor(tokens[None]).long(), attention_mask=torch.ones(1, len(tokens)), do_sample=False,
                max_new_tokens=20, pad_token_id=0,
            )[0, len(tokens):].tolist()
        wanted = wanted[: wanted.index(model.fitted_.units.end)] if model.fitted_.units.end in wanted else wanted
        spelled = b"".join(model.fitted_.units.spellings[token] for token in wanted).decode("utf-8", "replace")
        found = model.generate(prompt, 20, temperature=0)
        assert found == (spelled if prompt else spelled.removeprefix(model.fitted_.units.prefix))


def test_it_learns_on_and_its_folder_says_the_same(pair, tmp_path):
    folder, _, before = pair
    texts = ["the king is dead", "long live the queen"] * 30
    family = scansion.PretrainedDecoder(str(folder), learning_rate=3e-3)
    model = scansion.LanguageModel(family, training=BRIEF, processes=1, random_state=0).fit(texts)
    assert model.evaluate(texts).bits_per_byte < 0.8 * before.evaluate(texts).bits_per_byte
    model.save(tmp_path / "m")
    again = scansion.load(tmp_path / "m")
    assert np.array_equal(again.bits(TEXTS), model.bits(TEXTS))
    assert again.fitted_.family.source == folder.name
    assert str(folder) not in (tmp_path / "m" / "config.json").read_text()


@pytest.mark.parametrize(("fields", "said"), [
    ({"model_type": "mistral"}, "is of architecture 'mistral'; language models are read of: gpt2, llama"),
    ({"model_type": "bert"}, "an encoder, which does not write"),
    ({"colour": "red"}, "unknown key 'colour'"),
    ({"hidden_size": "wide"}, "'hidden_size' must be a whole number, got the text 'wide'"),
    ({"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, "rope_scaling of type 'llama3' is not supported"),
    ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_scaling of type 'linear' is not supported"),
    ({"attention_bias": True}, "attention_bias True is not supported"),
    ({"hidden_act": "gelu"}, "hidden_act 'gelu' is not supported"),
    ({"num_hidden_layers": 3}, "has no tensor model.layers.2."),
    ({"num_hidden_layers": 1}, "has the tensor 'model.layers.1.input_layernorm.weight', which is no part of"),
    ({"intermediate_size": 25}, "asks for (25, 16) numbers in model.layers.0.mlp.gate_proj.weight"),
    ({"num_key_value_heads": 3}, "heads must be a whole number of at least 3 and a multiple of 3"),
    ({"eos_token_id": [2, 3]}, "eos_token_id names 2 tokens"),
    ({"eos_token_id": 999}, "eos_token_id must be one of its"),
    ({"vocab_size": 200}, "asks for (200, 16) numbers"),
])
def test_what_cannot_be_read_is_told_by_name(tmp_path, fields, said):
    folder_of("llama", tmp_path / "f", True)
    change(tmp_path / "f", **fields)
    with pytest.raises(UnsafeFolderError) as error:
        scansion.LanguageModel.from_pretrained(tmp_path / "f")
    assert said in str(error.value)


def test_a_gpt2_in_a_form_that_is_not_supported_is_refused(tmp_path):
    folder_of("gpt2", tmp_path / "f", True)
    change(tmp_path / "f", scale_attn_by_inverse_layer_idx=True)
    with pytest.raises(UnsafeFolderError, match="scale_attn_by_inverse_layer_idx True is not supported"):
        scansion.LanguageModel.from_pretrained(tmp_path / "f")


def test_text_cannot_say_that_it_ends(pair):
    _, _, model = pair
    for text in ("a <|endoftext|> b", "a</s>b", "<s>"):
        numbers = model.fitted_.encode([text]).ids[1:-1]
        assert not {model.fitted_.units.begin, model.fitted_.units.end} & set(numbers.tolist())
        assert model.fitted_.units.decode(numbers) == text


def test_pretrained_weights_bring_their_tokens():
    with pytest.raises(UsageError, match="Leave --tokens out"):
        scansion.LanguageModel(scansion.PretrainedDecoder("x"), tokens="words").fit(["a b"])
    with pytest.raises(UsageError, match="needs its weights: --from"):
        scansion.LanguageModel("pretrained").fit(["a b"])


def test_rotary_pairs_side_by_side_and_apart_give_the_same_products():
    random = np.random.default_rng(0)
    queries, keys = (random.normal(size=(2 * 6, 5)).astype(np.float32) for _ in range(2))
    vectors = random.normal(size=(2, 5)).astype(np.float32)
    angles = np.array([3, 7])[:, None] * 10_000.0 ** (-np.arange(3) / 3)

    def side_by_side(matrix, number):  # the formula of Su et al., pair by pair
        heads = (matrix @ vectors[number]).reshape(2, 3, 2)
        cosine, sine = np.cos(angles[number]), np.sin(angles[number])
        return np.stack([heads[..., 0] * cosine - heads[..., 1] * sine,
                         heads[..., 1] * cosine + heads[..., 0] * sine], axis=-1).reshape(2, 6)

    wanted = (side_by_side(queries, 0) * side_by_side(keys, 1)).sum(axis=1)
    turns = rotary_turns(8, 6)
    turned = [
        turns.at(slice(position, position + 1)).turned(torch.from_numpy(from_side_by_side(matrix, 2) @ vectors[number])
                                                       .view(2, 6))
        for number, (matrix, position) in enumerate(((queries, 3), (keys, 7)))
    ]
    np.testing.assert_allclose((turned[0] * turned[1]).sum(dim=1), wanted, rtol=1e-4)
    assert np.array_equal(to_side_by_side(from_side_by_side(queries, 2), 2), queries)
