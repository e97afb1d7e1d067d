"""Folders of pretrained weights that others wrote: read whole, in one file or several, or refused in a sentence."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scansion.errors import StorageError, UnsafeFolderError
from scansion.storage.foreign_folder import ForeignFolder
from scansion.storage.huggingface_layout import PATTERNS, read_layout
from scansion.storage.sentence_modules import read_modules
from scansion.storage.strict_json import parse_json
from scansion.storage.tensors import tensors_from_bytes, tensors_to_bytes
from scansion.storage.weight_files import read_weights

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
WHERE = {"a": FIRST, "b": FIRST, "c": SECOND}
ARRAYS = {name: np.full((2, 3), number, np.float32) for number, name in enumerate(WHERE)}
INDEX = "model.safetensors.index.json"


def shards(folder: Path) -> Path:
    folder.mkdir()
    for file in (FIRST, SECOND):
        part = {name: ARRAYS[name] for name, its_file in WHERE.items() if its_file == file}
        (folder / file).write_bytes(tensors_to_bytes(part))
    write_index(folder, WHERE)
    return folder


def write_index(folder: Path, weight_map: object) -> None:
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 10**40}, "weight_map": weight_map}))


def test_weights_in_several_files_are_read_like_those_in_one(tmp_path):
    found = read_weights(ForeignFolder(shards(tmp_path / "model")))
    assert found.keys() == ARRAYS.keys()
    assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items())


def test_one_file_goes_before_several(tmp_path):
    folder = shards(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(tensors_to_bytes({"d": ARRAYS["a"]}))
    assert read_weights(ForeignFolder(folder)).keys() == {"d"}


def cut(folder: Path) -> None:
    (folder / SECOND).write_bytes((folder / SECOND).read_bytes()[:-1])


def twice(folder: Path) -> None:
    (folder / SECOND).write_bytes(tensors_to_bytes({"b": ARRAYS["b"], "c": ARRAYS["c"]}))


def unnamed(folder: Path) -> None:
    (folder / SECOND).write_bytes(tensors_to_bytes({"c": ARRAYS["c"], "d": ARRAYS["c"]}))


def pipe(folder: Path) -> None:
    (folder / SECOND).unlink()
    os.mkfifo(folder / SECOND)


def indexed(weight_map: object) -> Callable[[Path], None]:
    return lambda folder: write_index(folder, weight_map)


def with_index(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / INDEX).write_text(text)


BROKEN = {
    f"{SECOND}, which {INDEX} names": lambda folder: (folder / SECOND).unlink(),
    f"{SECOND}: the tensors take": cut,
    f"{SECOND} has the tensor 'b', which by {INDEX} stands 'in {FIRST}'": twice,
    f"{SECOND} has the tensor 'd', which by {INDEX} stands 'nowhere'": unnamed,
    f"{FIRST} has no tensor 'z'": indexed(WHERE | {"z": FIRST}),
    f"{SECOND} is not a plain file": pipe,
    "names '../other.safetensors'": indexed(WHERE | {"c": "../other.safetensors"}),
    "names '/etc/passwd'": indexed(WHERE | {"c": "/etc/passwd"}),
    "expected the name of something beside it": indexed(WHERE | {"c": "..\\other.safetensors"}),
    "names '7'": indexed(WHERE | {"c": 7}),
    "names 'pytorch_model.bin'; weights are read from files": indexed(WHERE | {"c": "pytorch_model.bin"}),
    "must name the file of every tensor": indexed([]),
    "under 'weight_map'": with_index("[]"),
    "is not JSON": with_index("{"),
}


@pytest.mark.parametrize("reason", BROKEN)
def test_several_files_that_do_not_belong_together_are_refused(reason, tmp_path):
    folder = shards(tmp_path / "model")
    BROKEN[reason](folder)
    with pytest.raises(StorageError) as caught:
        read_weights(ForeignFolder(folder))
    assert reason in str(caught.value)


def test_several_files_are_together_no_larger_than_one_may_be(tmp_path, monkeypatch):
    folder = shards(tmp_path / "model")
    most = sum((folder / file).stat().st_size for file in (FIRST, SECOND))
    monkeypatch.setattr("scansion.storage.weight_files.MOST_BYTES", most)
    read_weights(ForeignFolder(folder))
    monkeypatch.setattr("scansion.storage.weight_files.MOST_BYTES", most - 1)
    with pytest.raises(UnsafeFolderError, match=f"{SECOND} has .* bytes; at most"):
        read_weights(ForeignFolder(folder))


def test_bfloat16_is_read_as_the_float32_that_it_is_the_upper_half_of():
    torch, save = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch").save
    numbers = torch.tensor([[1.0, -0.3, 3e38], [1e-40, 0.0, -2.5]]).bfloat16()
    data = save({"a": numbers, "empty": numbers[:0], "scalar": numbers[0, 1].clone(), "half": torch.ones(2).half()})
    found = tensors_from_bytes(data, "file", foreign=True)
    assert np.array_equal(found["a"], numbers.float().numpy())
    assert found["a"].dtype == found["scalar"].dtype == np.float32
    assert (found["empty"].shape, found["scalar"].shape, found["half"].dtype) == ((0, 3), (), np.float16)
    found["a"][0, 0] = 7  # a copy, to be written to
    with pytest.raises(UnsafeFolderError, match="type 'BF16' is not stored here"):
        tensors_from_bytes(data, "file")


def test_weights_in_formats_that_are_not_read_are_refused_with_what_to_do(tmp_path):
    for name, format_name in (
        ("pytorch_model.bin", "a pickle"), ("pytorch_model.bin.index.json", "pickles"), ("tf_model.h5", "TensorFlow"),
    ):
        (tmp_path / name).write_bytes(b"{}")
        with pytest.raises(UnsafeFolderError, match=rf"{re.escape(name)}.*{format_name}.*Save it again: transformers"):
            read_weights(ForeignFolder(tmp_path))
        (tmp_path / name).unlink()
    with pytest.raises(StorageError, match=r"has no model\.safetensors"):
        read_weights(ForeignFolder(tmp_path))


def test_a_tokenizer_that_is_not_read_is_named_with_what_to_do(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"")
    with pytest.raises(StorageError, match=r"in sentencepiece\.bpe\.model, which is not read. Make one: transformers"):
        read_layout(tmp_path)


def test_whole_numbers_beyond_64_bits_are_read_from_others_files_alone():
    assert parse_json(b'{"model_max_length": 1000000000000000019884624838656}', "file", foreign=True) == {
        "model_max_length": 1e30
    }
    for digits in (b"9223372036854775808", b"-99999999999999999999", b"1" * 5000):
        with pytest.raises(UnsafeFolderError, match="does not fit 64 bits"):
            parse_json(digits, "file")
    assert parse_json(b"9223372036854775807", "file", foreign=True) == 2**63 - 1
    with pytest.raises(UnsafeFolderError, match="is too large"):
        parse_json(b"1" * 5000, "file", foreign=True)


# --- modules.json ---------------------------------------------------------------------------------------------------


def module(kind: str, path: object = "") -> dict:
    return {"idx": 0, "name": "0", "path": path, "type": f"sentence_transformers.models.{kind}"}


def with_modules(folder: Path, *listed: object, pooling: dict | None = None, **files: dict) -> ForeignFolder:
    folder.mkdir(exist_ok=True)
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    if pooling is not None:
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return ForeignFolder(folder)


TWO = (module("Transformer"), module("Pooling", "1_Pooling"))
DECLARED = {
    "one of the older flags": ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ("cls",)),
    "several, in the order of sentence-transformers": (
        {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True, "pooling_mode_cls_token": True},
        ("cls", "max", "mean")),
    "all of the older flags off": ({"pooling_mode_mean_tokens": False}, ("mean",)),
    "no file": (None, ("mean",)),
    "the newer name": ({"embedding_dimension": 8, "pooling_mode": "lasttoken"}, ("lasttoken",)),
    "several newer names": ({"pooling_mode": ["mean", "cls"]}, ("mean", "cls")),
    "the newer name before older flags": ({"pooling_mode": "max", "pooling_mode_cls_token": True}, ("max",)),
}


@pytest.mark.parametrize("name", DECLARED)
def test_declared_pooling_is_read_as_sentence_transformers_reads_it(name, tmp_path):
    config, wanted = DECLARED[name]
    _, modules = read_modules(with_modules(tmp_path / "model", *TWO, pooling=config))
    assert (modules.steps, modules.pooling) == (("Transformer", "Pooling"), wanted)


def test_a_folder_without_modules_declares_nothing(tmp_path):
    assert read_modules(ForeignFolder(tmp_path)) == (ForeignFolder(tmp_path), None)


def test_what_is_said_of_the_encoder_stands_in_its_own_folder(tmp_path):
    listed = (module("BERT", "0_BERT"), TWO[1])
    folder = with_modules(tmp_path / "model", *listed, config_sentence_transformers={
        "prompts": {"query": "query: "}, "default_prompt_name": "query"})
    (folder.path / "0_BERT").mkdir()
    said = {"do_lower_case": True, "max_seq_length": 128}
    (folder.path / "0_BERT" / "sentence_roberta_config.json").write_text(json.dumps(said))
    encoder, modules = read_modules(folder)
    assert encoder.path == folder.path / "0_BERT"
    assert (modules.lower_case, modules.max_length, modules.prompt) == (True, 128, "query: ")


ODD_MODULES = {
    "must be a list of objects": ["Transformer"],
    "modules.json is empty": [],
    "needs its class, under 'type'": [{"path": ""}],
    "begins with 'WordEmbeddings'": [module("WordEmbeddings")],
    "names '../outside'": [TWO[0], module("Pooling", "../outside")],
    "names '/etc'": [TWO[0], module("Pooling", "/etc")],
    "names '..'": [module("Transformer", ".."), TWO[1]],
    "names '1'": [TWO[0], module("Pooling", 1)],
}


@pytest.mark.parametrize("reason", ODD_MODULES)
def test_modules_that_cannot_be_understood_or_lead_elsewhere_are_refused(reason, tmp_path):
    with pytest.raises(UnsafeFolderError) as caught:
        read_modules(with_modules(tmp_path / "model", *ODD_MODULES[reason]))
    assert reason in str(caught.value)


def test_a_pooling_that_is_not_known_is_refused(tmp_path):
    for config, reason in (
        ({"pooling_mode_median_tokens": True}, "there is no 'pooling_mode_median_tokens'"),
        ({"pooling_mode": [1]}, "must be a name or a list of names"),
        ([], "must be one JSON object"),
    ):
        with pytest.raises(UnsafeFolderError, match=reason):
            read_modules(with_modules(tmp_path / "model", *TWO, pooling=config))


def test_every_file_that_is_read_is_fetched_from_the_hub_and_nothing_that_runs_code():
    from fnmatch import fnmatch

    def fetched(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in PATTERNS)

    read = [FIRST, INDEX, "modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json",
            "vocab.txt", "merges.txt", "added_tokens.json", "config.json", "model.safetensors", "tokenizer.json"]
    left = ["pytorch_model.bin", "modeling.py", "onnx/model.onnx", "tf_model.h5", "README.md", "openvino/config.json"]
    assert [name for name in read + left if fetched(name)] == read
