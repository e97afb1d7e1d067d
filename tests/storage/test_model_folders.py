"""What a model folder promises: it holds what was saved, a changed bit is noticed, version 1 loads forever."""

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from scansion.errors import DivergedError, StorageError, UnsafeFolderError, UsageError
from scansion.storage.folders import open_folder, publish
from scansion.storage.word_list import words_from_bytes

DESCRIBED = {"task": "classify", "family": "lstm", "data_fingerprint": "0" * 64}
VERSION_1 = Path(__file__).parent / "fixtures" / "version_1"

FLIPS = 10_000


def test_a_folder_of_version_1_loads_forever():
    folder = open_folder(VERSION_1)
    assert folder.manifest.format_version == 1
    assert (folder.manifest.task, folder.manifest.family) == ("classify", "bag-of-words")
    assert folder.json("config.json") == {"labels": ["bad", "good"], "strength": 0.5}
    assert words_from_bytes(folder.bytes("vocabulary.json"), "") == ["live", "to", "wörk", "two\nlines", "😀"]
    tensors = folder.tensors("weights.safetensors")
    assert {name: str(tensor.dtype) for name, tensor in tensors.items()} == {"bias": "float64", "weight": "float32"}
    np.testing.assert_array_equal(tensors["weight"], np.arange(-5, 5, dtype=np.float32).reshape(5, 2) / 4)
    np.testing.assert_array_equal(tensors["bias"], 0.125)


def test_what_was_saved_is_what_is_opened(save, tmp_path):
    save(tmp_path / "model", 7)
    folder = open_folder(tmp_path / "model")
    assert folder.json("config.json") == {"width": 7}
    np.testing.assert_array_equal(folder.tensors("weights.safetensors")["output.weight"], np.full((2, 3), 7.0))
    assert words_from_bytes(folder.bytes("vocabulary.json"), "") == ["to", "live", "two\nlines"]
    assert folder.manifest.family == "bag-of-words"
    assert {"python", "numpy", "torch"} <= folder.manifest.versions.keys()
    assert folder.manifest.created.endswith("+00:00")


def test_an_opened_folder_no_longer_depends_on_the_disk(save, tmp_path):
    save(tmp_path / "model", 1)
    folder = open_folder(tmp_path / "model")
    save(tmp_path / "model", 2)
    assert folder.json("config.json") == {"width": 1}
    folder.tensors("weights.safetensors")["output.weight"][:] = 9
    assert folder.tensors("weights.safetensors")["output.weight"].max() == 1


def test_a_file_the_folder_lacks_is_named(save, tmp_path):
    save(tmp_path / "model")
    with pytest.raises(UnsafeFolderError, match=r"has no tokenizer.json; it holds config.json, vocab"):
        open_folder(tmp_path / "model").bytes("tokenizer.json")


def flip(path, bit):
    with open(path, "r+b", buffering=0) as file:
        file.seek(bit // 8)
        byte = file.read(1)[0] ^ 1 << bit % 8
        file.seek(bit // 8)
        file.write(bytes([byte]))


def test_every_flipped_bit_is_noticed_and_names_its_file(save, tmp_path):
    save(tmp_path / "model")
    bits = [(path, bit) for path in sorted((tmp_path / "model").iterdir()) for bit in range(8 * path.stat().st_size)]
    for path, bit in random.Random(0).choices(bits, k=FLIPS):
        flip(path, bit)
        with pytest.raises(StorageError, match=path.name):
            open_folder(tmp_path / "model")
        flip(path, bit)
    open_folder(tmp_path / "model")


def test_a_folder_cut_at_any_length_is_refused(save, tmp_path):
    save(tmp_path / "model")
    for path in sorted((tmp_path / "model").iterdir()):
        whole = path.read_bytes()
        for length in reversed(range(len(whole))):
            os.truncate(path, length)
            with pytest.raises(StorageError, match=path.name):
                open_folder(tmp_path / "model")
        path.write_bytes(whole)


def test_weights_that_are_not_finite_are_never_published(save, tmp_path):
    save(tmp_path / "model", 1)
    for number in (np.nan, np.inf, -np.inf):
        weights = {"good": np.ones(3), "output.bias": np.array([0, number], dtype=np.float32)}
        with pytest.raises(DivergedError, match=r"Tensor 'output.bias' holds a weight that is NaN or infinite"):
            publish(tmp_path / "model", {"weights.safetensors": weights}, DESCRIBED)
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


REFUSED = [
    ({"model.pkl": b""}, DESCRIBED, "no file 'model.pkl'"),
    ({"../config.json": b"{}"}, DESCRIBED, "no file '../config.json'; did you mean 'config.json'?"),
    ({"manifest.json": b"{}"}, DESCRIBED, "no file 'manifest.json'"),
    ({"config.json": b"\x80\x04."}, DESCRIBED, "holds a Python pickle"),
    ({"config.json": b"width: 2"}, DESCRIBED, "does not begin like a json file"),
    ({"config.json": b"{" + b" " * 4 * 1024**2}, DESCRIBED, "at most 4,194,304 can be loaded"),
    ({"weights.safetensors": {"a": [1.0]}}, DESCRIBED, "Tensor 'a' is list; expected a numpy array"),
    ({"weights.safetensors": {"a": np.array([None])}}, DESCRIBED, "Tensor 'a' is object; expected a numpy array"),
    ({"weights.safetensors": {"a": np.array(["x"])}}, DESCRIBED, "Tensor 'a' is <U1; expected a numpy array"),
    ({"weights.safetensors": {"a": np.zeros(1, complex)}}, DESCRIBED, "Tensor 'a' is complex128; expected"),
    ({"weights.safetensors": {"__metadata__": np.zeros(1)}}, DESCRIBED, "'__metadata__' cannot name a tensor"),
    ({"weights.safetensors": {"": np.zeros(1)}}, DESCRIBED, "'' cannot name a tensor"),
    ({"weights.safetensors": {"a": np.zeros([1] * 9)}}, DESCRIBED, "at most 8 dimensions"),
    ({}, {"task": "classify", "family": "lstm"}, "missing 'data_fingerprint'"),
    ({}, DESCRIBED | {"famly": "lstm"}, "unknown key 'famly'; did you mean 'family'?"),
    ({}, DESCRIBED | {"task": None}, "'task' must be text, got null"),
]


@pytest.mark.parametrize(("files", "described", "sentence"), REFUSED)
def test_what_could_not_be_loaded_is_not_written(files, described, sentence, tmp_path):
    with pytest.raises((UsageError, StorageError)) as refusal:
        publish(tmp_path / "model", files, described)
    assert sentence in str(refusal.value)
    assert not list(tmp_path.iterdir())


def put_notes(folder):
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")


def put_notes_into_a_model(folder):
    put_notes(folder)
    publish(folder.with_name("other"), {"config.json": b"{}"}, DESCRIBED)
    for path in folder.with_name("other").iterdir():
        path.rename(folder / path.name)


def put_tokenizer_into_a_model(folder):
    publish(folder, {"config.json": b"{}"}, DESCRIBED)
    (folder / "tokenizer.json").write_text("mine")


def put_file(folder):
    folder.write_text("mine")


@pytest.mark.parametrize("put", [put_notes, put_notes_into_a_model, put_tokenizer_into_a_model, put_file])
def test_what_is_not_ours_is_not_replaced(put, save, tmp_path):
    put(tmp_path / "place")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StorageError, match="is taken and is not replaced: "):
        save(tmp_path / "place")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_empty_folder_and_a_damaged_model_are_replaced(save, tmp_path):
    (tmp_path / "model").mkdir()
    save(tmp_path / "model", 1)
    (tmp_path / "model" / "weights.safetensors").unlink()
    save(tmp_path / "model", 2)
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 2}


def test_a_link_to_a_model_goes_on_being_a_link(save, tmp_path):
    save(tmp_path / "first", 1)
    (tmp_path / "latest").symlink_to("first")
    save(tmp_path / "latest", 2)
    assert (tmp_path / "latest").is_symlink()
    assert open_folder(tmp_path / "first").json("config.json") == {"width": 2}
    assert open_folder(tmp_path / "latest").json("config.json") == {"width": 2}


def test_parents_are_made_and_a_relative_path_will_do(save, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save("runs/today/model/")
    assert open_folder("runs/today/model").json("config.json") == {"width": 1}


def test_readers_never_meet_a_half_written_folder(save, tmp_path):
    save(tmp_path / "model", 0)

    def write(first):
        for number in range(first, first + 15):
            save(tmp_path / "model", number)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 100)]
    for writer in writers:
        writer.start()
    opened = 0
    while any(writer.is_alive() for writer in writers):
        folder = open_folder(tmp_path / "model")
        number = folder.json("config.json")["width"]
        assert folder.tensors("weights.safetensors")["output.weight"].max() == number
        opened += 1
    assert opened > 0
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_opening_a_folder_does_not_bring_torch():
    code = "import sys, scansion.storage.folders as f; f.open_folder(sys.argv[1]); sys.exit('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code, str(VERSION_1)], env=environment).returncode == 0
