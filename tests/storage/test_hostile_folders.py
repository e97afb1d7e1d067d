"""Folders made to harm: each is refused in a sentence, quickly, and nothing in it runs.

Every forger here knows the format and seals its work, so that what is tested lies behind the checksums.
"""

import hashlib
import io
import json
import os
import pickle
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from scansion.errors import DivergedError, StorageError
from scansion.storage.folders import open_folder
from scansion.storage.limits import GIB, MIB
from scansion.storage.schema import from_json
from scansion.storage.tensors import tensors_to_bytes
from scansion.storage.word_list import words_from_bytes

CONFIG = b'{"width": 2}'
WEIGHTS = tensors_to_bytes({"a": np.zeros(2, dtype=np.float32)})
WORDS = b'["a", "b"]'


@dataclass(frozen=True)
class Width:
    width: int
    rate: float = 0.5
    labels: tuple[str, ...] = ()
    pooling: str | None = None


class Harm:
    def __reduce__(self):
        return os.system, ("touch harm-was-done",)


HARM = pickle.dumps(Harm())


def zipped_harm() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", HARM)
    return archive.getvalue()


def load(path: Path) -> None:
    """What a task does with a folder."""
    folder = open_folder(path)
    from_json(Width, folder.json("config.json"), folder.where("config.json"))
    folder.tensors("weights.safetensors")
    words_from_bytes(folder.bytes("vocabulary.json"), folder.where("vocabulary.json"))


# --- forging ------------------------------------------------------------------------------------------------------


def sealed(manifest: dict) -> bytes:
    unsealed = json.dumps({**manifest, "seal": ""})
    return unsealed.replace('"seal": ""', f'"seal": "{hashlib.sha256(unsealed.encode()).hexdigest()}"').encode()


def record(data: bytes) -> dict:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def manifest_of(files: dict[str, bytes]) -> dict:
    return {
        "format": "scansion-model",
        "format_version": 2,
        "task": "classify",
        "family": "lstm",
        "data_fingerprint": "0" * 64,
        "created": "2026-01-01T00:00:00+00:00",
        "versions": {"scansion": "0.1.0"},
        "files": {name: record(data) for name, data in files.items()},
    }


def forge(path: Path, config: bytes = CONFIG, weights: bytes = WEIGHTS, words: bytes = WORDS) -> dict:
    """A folder whose seals all hold; returns its manifest, unsealed."""
    files = {"config.json": config, "weights.safetensors": weights, "vocabulary.json": words}
    path.mkdir(exist_ok=True)
    for name, data in files.items():
        (path / name).write_bytes(data)
    manifest = manifest_of(files)
    (path / "manifest.json").write_bytes(sealed(manifest))
    return manifest


def with_config(data: bytes) -> Callable[[Path], object]:
    return lambda path: forge(path, config=data)


def with_words(data: bytes) -> Callable[[Path], object]:
    return lambda path: forge(path, words=data)


def with_weights(data: bytes) -> Callable[[Path], object]:
    return lambda path: forge(path, weights=data)


def with_header(header: object, data: bytes = b"", claimed: int | None = None) -> Callable[[Path], object]:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if claimed is None else claimed
    return with_weights(length.to_bytes(8, "little") + text + data)


def with_tensor(dtype: object = "F32", shape: object = (2,), data_offsets: object = (0, 8), **others: object):
    entry = {"dtype": dtype, "shape": shape, "data_offsets": data_offsets, **others}
    return with_header({"a": entry}, bytes(8))


def with_manifest(**changes: object) -> Callable[[Path], object]:
    def forger(path: Path) -> None:
        manifest = forge(path) | changes
        manifest = {key: value for key, value in manifest.items() if value is not None}
        (path / "manifest.json").write_bytes(sealed(manifest))

    return forger


def with_file_record(name: str, entry: object) -> Callable[[Path], object]:
    def forger(path: Path) -> None:
        manifest = forge(path)
        manifest["files"] = {**manifest["files"], name: entry}
        (path / "manifest.json").write_bytes(sealed(manifest))

    return forger


def with_raw_manifest(data: bytes) -> Callable[[Path], object]:
    return on_disk(lambda path: (path / "manifest.json").write_bytes(data))


def on_disk(change: Callable[[Path], object]) -> Callable[[Path], object]:
    def forger(path: Path) -> None:
        forge(path)
        change(path)

    return forger


def instead_of(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        (path / name).unlink()
        make(path / name)

    return on_disk(change)


def edited(name: str, old: bytes, new: bytes) -> Callable[[Path], object]:
    return on_disk(lambda path: (path / name).write_bytes((path / name).read_bytes().replace(old, new)))


def moved_outside(path: Path) -> None:
    """The same bytes, but reached through a link."""
    forge(path)
    (path / "config.json").rename(path.with_name(path.name + "-config"))
    (path / "config.json").symlink_to(path.with_name(path.name + "-config"))


def bind_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def grow(path: Path, size: int) -> None:
    """To ``size``, without taking any disk."""
    with open(path, "r+b") as file:
        file.truncate(size)


def overlapping(first: tuple[int, int], second: tuple[int, int], size: int = 8) -> Callable[[Path], object]:
    entries = {
        name: {"dtype": "F32", "shape": [(end - begin) // 4], "data_offsets": [begin, end]}
        for name, (begin, end) in {"a": first, "b": second}.items()
    }
    return with_header(entries, bytes(size))


def weights_of(*numbers: float) -> bytes:
    data = np.array(numbers, dtype="<f4").tobytes()
    header = json.dumps({"a": {"dtype": "F32", "shape": [len(numbers)], "data_offsets": [0, len(data)]}}).encode()
    return len(header).to_bytes(8, "little") + header + data


DEEP = 100_000
ENTRY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}

HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    # weights.safetensors: what is in it
    "a pickle for weights": (with_weights(HARM), "weights.safetensors holds a Python pickle"),
    "a pickle of protocol 0": (with_weights(pickle.dumps(Harm(), 0)), "does not begin like a safetensors file"),
    "a pickle of protocol 2": (with_weights(pickle.dumps(Harm(), 2)), "holds a Python pickle"),
    "a torch archive": (with_weights(zipped_harm()), "holds a Python pickle or a zip archive"),
    "a pickle dressed as safetensors": (with_weights(HARM[:8] + b"{" + HARM), "its header claims"),
    "empty weights": (with_weights(b""), "does not begin like"),
    "seven bytes of weights": (with_weights(bytes(7)), "does not begin like"),
    "a numpy file": (with_weights(b"\x93NUMPY\x01\x00v\x00{'descr': '|O'}"), "does not begin like"),
    "an HDF5 file": (with_weights(b"\x89HDF\r\n\x1a\n" + bytes(64)), "does not begin like"),
    # its header: how long it says it is
    "a header of 2**63 bytes": (with_header(b"{}", claimed=2**63), "its header claims 9,223,372,036,854,775,808 bytes"),
    "a header of 2**64-1 bytes": (with_header(b"{}", claimed=2**64 - 1), "its header claims"),
    "a header one byte too long": (with_header(b"{}", claimed=3), "was cut: its header claims 3 bytes"),
    "a header one byte too short": (with_header({"a": ENTRY}, claimed=10), "header is not JSON"),
    "a header of no bytes": (with_header(b"{}", claimed=0), "header is not JSON"),
    "a header of spaces": (with_header(b"{" + b" " * (8 * MIB) + b"}"), "at most 8,388,608 are read"),
    "a header of too many tensors": (with_header({str(n): ENTRY for n in range(20_001)}), "names 20,001 tensors"),
    # its header: what it says
    "a header nested without end": (with_header(b'{"a":' + b"[" * DEEP), "nested 100,001 deep"),
    "a header with a name twice": (with_header(b'{"a": 1, "a": 2}'), "the key 'a' stands twice"),
    "a header with NaN": (with_header(b'{"a": NaN}'), "NaN is not JSON"),
    "a header that is not UTF-8": (with_header(b'{"\xff": 1}'), "is not UTF-8: byte 2 is 0xff"),
    "a header with metadata": (with_header({"__metadata__": {"format": "pt"}}), "unknown key 'format'"),
    "a tensor that is a number": (with_header({"a": 3}), "must be an object, got the number 3"),
    "a tensor without a type": (with_header({"a": {"shape": [], "data_offsets": [0, 0]}}), "missing 'dtype'"),
    "a tensor with a class name": (with_tensor(__class__="os.system"), "unknown key '__class__'"),
    "a tensor without a name": (with_header({"": ENTRY}), "a name has 1 to 256 characters"),
    "a tensor with a novel for a name": (
        with_header({"a" * 257: ENTRY}),
        "a name has 1 to 256 characters, this has 257",
    ),
    "an object type": (with_tensor(dtype="O"), "type 'O' is not stored here"),
    "a numpy type": (with_tensor(dtype="<f4"), "type '<f4' is not stored here"),
    "a lower-case type": (with_tensor(dtype="f32"), "type 'f32' is not stored here"),
    "a type of eight bits": (with_tensor(dtype="F8_E4M3"), "type 'F8_E4M3' is not stored here"),
    "a type that is a number": (with_tensor(dtype=32), "'dtype' must be text, got the number 32"),
    "a negative shape": (with_tensor(shape=[-2]), "none below 0"),
    "two negative shapes": (with_tensor(shape=[-1, -2]), "none below 0"),
    "a shape of fractions": (with_tensor(shape=[2.0]), "'shape[0]' must be a whole number"),
    "a shape of truths": (with_tensor(shape=[True, 2]), "'shape[0]' must be a whole number, got true"),
    "a shape that is text": (with_tensor(shape="2"), "'shape' must be a list, got the text '2'"),
    "a shape of nine dimensions": (with_tensor(shape=[2] + [1] * 8), "at most 8 dimensions"),
    "a shape that overflows 64 bits": (with_tensor(shape=[2**32, 2**32], data_offsets=[0, 0]), "does not fit"),
    "a shape that overflows to its size": (with_tensor(shape=[2**62 + 2]), "does not fit the bytes 0 to 8"),
    "nothing times 10**18": (with_tensor(shape=[0, 10**18], data_offsets=[0, 0]), "does not fit"),
    "a shape too large for its bytes": (with_tensor(shape=[3]), "does not fit the bytes 0 to 8"),
    "a shape too small for its bytes": (with_tensor(shape=[1]), "does not fit the bytes 0 to 8"),
    "a whole number of a thousand digits": (with_header(b'{"a": ' + b"9" * 1000 + b"}"), "does not fit 64 bits"),
    "one offset": (with_tensor(data_offsets=[8]), "'data_offsets' must have 2 entries, got 1"),
    "three offsets": (with_tensor(data_offsets=[0, 4, 8]), "'data_offsets' must have 2 entries, got 3"),
    "offsets backwards": (with_tensor(data_offsets=[8, 0]), "does not fit the bytes 8 to 0"),
    "negative offsets": (with_tensor(data_offsets=[-8, 0]), "does not fit the bytes -8 to 0"),
    "offsets that are text": (with_tensor(data_offsets=["0", "8"]), "'data_offsets[0]' must be a whole number"),
    "offsets beyond the end": (with_tensor(shape=[4], data_offsets=[0, 16]), "take 16 bytes, 8 are there"),
    "bytes nobody owns at the end": (with_tensor(shape=[1], data_offsets=[0, 4]), "take 4 bytes, 8 are there"),
    "bytes nobody owns in between": (overlapping((0, 4), (8, 12), 12), "tensor 'b' leaves a gap before it"),
    "tensors one on the other": (overlapping((0, 8), (0, 8)), "tensor 'b' overlaps another"),
    "tensors that share a number": (overlapping((0, 8), (4, 12), 12), "tensor 'b' overlaps another"),
    "a third truth value": (
        with_header({"a": {"dtype": "BOOL", "shape": [2], "data_offsets": [0, 2]}}, b"\1\2"),
        "a byte that is not 0 or 1",
    ),
    # its weights
    "a weight that is NaN": (with_weights(weights_of(1, float("nan"))), "Tensor 'a' holds a weight that is NaN"),
    "a weight without end": (
        with_weights(weights_of(float("-inf"), 0)),
        "Tensor 'a' holds a weight that is NaN or inf",
    ),
    # config.json
    "a pickle for a configuration": (with_config(HARM), "config.json holds a Python pickle"),
    "YAML that builds an object": (
        with_config(b"!!python/object/apply:os.system ['true']"),
        "does not begin like a json",
    ),
    "an empty configuration": (with_config(b""), "does not begin like a json file"),
    "a brace and no more": (with_config(b"{"), "config.json is not JSON"),
    "a misspelt key": (with_config(b'{"widht": 2}'), "unknown key 'widht'; did you mean 'width'?"),
    "a class name": (with_config(b'{"width": 2, "__class__": "os.system"}'), "unknown key '__class__'"),
    "a jsonpickle object": (with_config(b'{"py/object": "os.system"}'), "unknown key 'py/object'"),
    "a key of a million characters": (with_config(b'{"' + b"w" * MIB + b'": 2}'), "unknown key 'wwww"),
    "a key of control characters": (with_config(b'{"\\u001b[2J": 2}'), r"unknown key '\\x1b[2J'"),
    "no width": (with_config(b"{}"), "missing 'width'"),
    "a width that is true": (with_config(b'{"width": true}'), "'width' must be a whole number, got true"),
    "a width that is text": (with_config(b'{"width": "2"}'), "'width' must be a whole number, got the text '2'"),
    "a width that is null": (with_config(b'{"width": null}'), "'width' must be a whole number, got null"),
    "a width that is a fraction": (
        with_config(b'{"width": 2.0}'),
        "'width' must be a whole number, got the number 2.0",
    ),
    "a width of a million digits": (with_config(b'{"width": ' + b"9" * MIB + b"}"), "does not fit 64 bits"),
    "a width of 2**63": (with_config(b'{"width": 9223372036854775808}'), "does not fit 64 bits"),
    "a rate that is NaN": (with_config(b'{"width": 2, "rate": NaN}'), "NaN is not JSON"),
    "a rate without end": (with_config(b'{"width": 2, "rate": -Infinity}'), "-Infinity is not JSON"),
    "a rate of 1e999": (with_config(b'{"width": 2, "rate": 1e999}'), "the number '1e999' is too large"),
    "labels of two kinds": (with_config(b'{"width": 2, "labels": ["a", 1]}'), "'labels[1]' must be text"),
    "labels that are an object": (with_config(b'{"width": 2, "labels": {"a": 1}}'), "'labels' must be a list"),
    "pooling that is neither": (
        with_config(b'{"width": 2, "pooling": 1}'),
        "'pooling' must be text or null, got the n",
    ),
    "a key twice": (with_config(b'{"width": 2, "width": 3}'), "the key 'width' stands twice"),
    "lists nested without end": (with_config(b'{"width": ' + b"[" * DEEP + b"]" * DEEP + b"}"), "nested 100,001 deep"),
    "objects nested without end": (with_config(b'{"a":' * DEEP + b"1" + b"}" * DEEP), "nested 100,000 deep"),
    "a list for a configuration": (with_config(b"[2]"), "the file must be an object, got a list"),
    "two configurations": (with_config(b'{"width": 2}{"width": 3}'), "is not JSON: Extra data"),
    "a comment": (with_config(b'{"width": 2} // wide'), "is not JSON: Extra data"),
    "a trailing comma": (with_config(b'{"width": 2,}'), "is not JSON"),
    "single quotes": (with_config(b"{'width': 2}"), "is not JSON"),
    "a line break in text": (with_config(b'{"width": 2, "pooling": "a\nb"}'), "is not JSON: Invalid control character"),
    "a NUL": (with_config(b'{"width": 2\0}'), "is not JSON"),
    "UTF-16": (with_config('{"width": 2}'.encode("utf-16")), "does not begin like a json file"),
    "a byte-order mark": (with_config(b'\xef\xbb\xbf{"width": 2}'), "does not begin like a json file"),
    "Latin-1": (with_config(b'{"width": 2, "pooling": "caf\xe9"}'), "is not UTF-8: byte 28 is 0xe9"),
    "half a surrogate pair": (with_config(b'{"width": 2, "pooling": "\\ud800"}'), "half a surrogate pair"),
    "two wrong halves": (with_config(b'{"width": 2, "pooling": "\\udc00\\ud800"}'), "half a surrogate pair"),
    "an endless configuration": (with_config(b'{"width": "' + b"x" * (4 * MIB) + b'"}'), "at most 4,194,304 are read"),
    # vocabulary.json
    "a vocabulary of numbers": (with_words(b"[1, 2]"), "must be one list of words"),
    "a vocabulary of lists": (with_words(b'[["a"]]'), "must be one list of words"),
    "a vocabulary that is an object": (with_words(b'{"a": 0}'), "must be one list of words"),
    "a word twice": (with_words(b'["a", "b", "a"]'), "holds a word twice"),
    "five million lists": (with_words(b"[" + b"[]," * 5_000_000 + b"[]]"), "holds too many values"),
    "five million words": (with_words(b"[" + b'"",' * 5_000_000 + b'""]'), "holds too many values"),
    "a word that never ends": (with_words(b'["' + b'\\"' * 5_000_000), "is not JSON: Unterminated string"),
    # manifest.json
    "a manifest of another format": (with_manifest(format="scansion-run"), 'does not say format "scansion-model"'),
    "a manifest of no format": (with_manifest(format=None), 'does not say format "scansion-model"'),
    "a manifest from the future": (with_manifest(format_version=3, soul="new"), "has format version 3, this scansion "),
    "a manifest from the far future": (with_manifest(format_version=2**60), "reads up to 2. Upgrade it"),
    "a version that is text": (with_manifest(format_version="1"), "'format_version' must be a whole number from 1"),
    "a version that is true": (with_manifest(format_version=True), "'format_version' must be a whole number from 1"),
    "a version of nought": (with_manifest(format_version=0), "'format_version' must be a whole number from 1"),
    "a manifest with a class name": (with_manifest(loader="os.system"), "unknown key 'loader'"),
    "a manifest without a family": (with_manifest(family=None), "missing 'family'"),
    "a manifest without files": (with_manifest(files=None), "missing 'files'"),
    "a manifest that names nothing": (with_manifest(files={}), "which its manifest does not name"),
    "files that are a list": (with_manifest(files=["config.json"]), "'files' must be an object, got a list"),
    "versions that are numbers": (with_manifest(versions={"torch": 2.13}), "'versions.torch' must be text"),
    "a file above": (with_file_record("../config.json", record(CONFIG)), "names the file '../config.json', which no"),
    "a file at the root": (with_file_record("/etc/passwd", record(b"")), "names the file '/etc/passwd', which no"),
    "a file below": (with_file_record("a/config.json", record(CONFIG)), "names the file 'a/config.json', which no"),
    "a file on another drive": (with_file_record("C:\\config.json", record(CONFIG)), "names the file 'C:"),
    "a file with a NUL in its name": (
        with_file_record("config.json\0", record(CONFIG)),
        r"names the file 'config.json\\x00'",
    ),
    "the folder itself": (with_file_record(".", record(b"")), "names the file '.', which no model folder has"),
    "the manifest itself": (with_file_record("manifest.json", record(b"")), "names the file 'manifest.json'"),
    "a pickle by name": (with_file_record("model.pkl", record(HARM)), "a kind of file that can run code"),
    "a file that is not there": (with_file_record("tokenizer.json", record(b"{}")), "tokenizer.json is missing"),
    "a digest of other bytes": (with_file_record("config.json", record(b'{"width": 3}')), "its SHA-256 is not the one"),
    "a digest in capitals": (
        with_file_record("config.json", {"sha256": record(CONFIG)["sha256"].upper(), "bytes": 12}),
        "its SHA-256 is not the one",
    ),
    "a digest that is a number": (with_file_record("config.json", {"sha256": 0, "bytes": 12}), "sha256' must be text"),
    "a size of other bytes": (
        with_file_record("config.json", record(CONFIG + b" ")),
        "has 12 bytes, manifest.json says 13",
    ),
    "a size below nought": (
        with_file_record("config.json", record(CONFIG) | {"bytes": -1}),
        "has 12 bytes, manifest.json says -1",
    ),
    "a record with a path": (with_file_record("config.json", record(CONFIG) | {"path": "/"}), ".path'; known"),
    "a manifest edited by hand": (edited("manifest.json", b'"lstm"', b'"rnn"'), "its seal does not match"),
    "a manifest with a space more": (edited("manifest.json", b'"lstm"', b' "lstm"'), "its seal does not match"),
    "a manifest without its seal": (edited("manifest.json", b', "seal"', b', "sea"'), "did you mean 'seal'?"),
    "a manifest with an empty seal": (
        with_raw_manifest(json.dumps(manifest_of({}) | {"seal": ""}).encode()),
        "its seal do",
    ),
    "a manifest that is a list": (with_raw_manifest(b"[]"), 'does not say format "scansion-model"'),
    "an empty manifest": (with_raw_manifest(b""), "manifest.json is not JSON"),
    "a pickle for a manifest": (with_raw_manifest(HARM), "manifest.json is not UTF-8"),
    "a manifest with a key twice": (edited("manifest.json", b"{", b'{"task": "x", '), "stands twice"),
    "a manifest nested without end": (with_raw_manifest(b'{"format":' * 20_000), "nested 20,000 deep"),
    "a manifest of a megabyte": (with_raw_manifest(b'{"format": "' + b"x" * MIB + b'"}'), "at most 262,144 are read"),
    # the folder
    "no folder": (lambda path: None, "There is no model folder"),
    "a file for a folder": (lambda path: path.write_bytes(HARM), "is a file; expected a model folder"),
    "an empty folder": (lambda path: path.mkdir(), "has no manifest.json"),
    "a folder without a manifest": (on_disk(lambda path: (path / "manifest.json").unlink()), "has no manifest.json"),
    "a folder without its weights": (
        on_disk(lambda path: (path / "weights.safetensors").unlink()),
        "safetensors is miss",
    ),
    "a pickle beside": (
        on_disk(lambda path: (path / "model.pkl").write_bytes(HARM)),
        "a kind of file that can run code",
    ),
    "a torch file beside": (on_disk(lambda path: (path / "pytorch_model.bin").write_bytes(HARM)), "can run code"),
    "a module beside": (on_disk(lambda path: (path / "sitecustomize.py").write_text("boom")), "can run code"),
    "a hidden file": (
        on_disk(lambda path: (path / ".config.json").write_bytes(CONFIG)),
        "holds '.config.json', which no",
    ),
    "a name that moves the cursor": (on_disk(lambda path: (path / "\x1b[2J").write_bytes(b"")), r"holds '\\x1b[2J'"),
    "a name that is not UTF-8": (
        on_disk(lambda path: open(os.fsencode(path) + b"/\xff", "wb").close()),
        "which no model folder has",
    ),
    "a known file nobody named": (on_disk(lambda path: (path / "tokenizer.json").write_bytes(b"{}")), "does not name"),
    "a sub-folder": (on_disk(lambda path: (path / "checkpoints").mkdir()), "holds 'checkpoints', which no"),
    "a folder for a file": (instead_of("config.json", Path.mkdir), "config.json is not a plain file"),
    "a folder for the manifest": (instead_of("manifest.json", Path.mkdir), "manifest.json is not a plain file"),
    "a pipe for a file": (instead_of("config.json", os.mkfifo), "config.json is not a plain file"),
    "a pipe for the manifest": (instead_of("manifest.json", os.mkfifo), "manifest.json is not a plain file"),
    "a socket for a file": (instead_of("config.json", bind_socket), "config.json cannot be read"),
    "a link to a secret": (
        instead_of("config.json", lambda path: path.symlink_to("/etc/passwd")),
        "is a symbolic link",
    ),
    "a link to nowhere": (instead_of("config.json", lambda path: path.symlink_to("nowhere")), "is a symbolic link"),
    "a link to itself": (instead_of("config.json", lambda path: path.symlink_to(path)), "is a symbolic link"),
    "a link to endless zeros": (
        instead_of("config.json", lambda path: path.symlink_to("/dev/zero")),
        "is a symbolic link",
    ),
    "a link for the manifest": (instead_of("manifest.json", lambda path: path.symlink_to("x")), "is a symbolic link"),
    "a link to the right bytes": (moved_outside, "is a symbolic link"),
    "weights of five gibibytes": (
        on_disk(lambda path: grow(path / "weights.safetensors", 5 * GIB)),
        "at most 4,294,967,296",
    ),
    "weights that grew": (on_disk(lambda path: grow(path / "weights.safetensors", GIB)), "has 1,073,741,824 bytes"),
    "weights that shrank": (on_disk(lambda path: grow(path / "weights.safetensors", 9)), "has 9 bytes"),
    "a changed weight": (edited("weights.safetensors", bytes(8), bytes(7) + b"\1"), "its SHA-256 is not the one"),
}


def test_the_forger_can_make_an_honest_folder(tmp_path):
    forge(tmp_path / "model")
    load(tmp_path / "model")
    with_tensor("BOOL", [8], [0, 8])(tmp_path / "model")
    load(tmp_path / "model")


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_folder_is_refused_in_a_sentence(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forger, sentence = HOSTILE[case]
    forger(tmp_path / "model")
    start = time.perf_counter()
    with pytest.raises((StorageError, DivergedError)) as refusal:
        load(tmp_path / "model")
    took = time.perf_counter() - start
    message = str(refusal.value)
    assert sentence in message
    assert message.isprintable()
    assert message.endswith((".", "?"))
    assert len(message) < 600
    assert took < 2
    assert not os.path.exists("harm-was-done")


def test_the_pickles_here_would_have_done_harm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pickle.loads(HARM)  # noqa: S301 - the one place that is meant to
    assert os.path.exists("harm-was-done")


WATCHED = """
import sys
from pathlib import Path
import test_hostile_folders as forgery
from scansion.comparison.fit_and_score import own_peak_memory

DANGERS = ("exec", "compile", "import", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen",
           "pickle.find_class", "socket.connect", "ctypes.dlopen", "os.remove", "os.rename", "os.mkdir")
seen = []
forgery.forge(Path("honest"))
forgery.load(Path("honest"))
"\\x1b".encode("unicode_escape")  # Python imports a codec when it is first used
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event in DANGERS else None)
for path in map(Path, sys.argv[1:]):
    try:
        forgery.load(path)
    except (forgery.StorageError, forgery.DivergedError):
        continue
    sys.exit(f"{path} was loaded")
mebibytes = own_peak_memory() / 1024**2
sys.exit(f"ran {seen[:3]}, used {mebibytes:.0f} MiB" if seen or mebibytes > 1024 else 0)
"""


def test_no_hostile_folder_runs_code_or_takes_a_gibibyte_under_optimised_python(tmp_path):
    for number, (forger, _) in enumerate(HOSTILE.values()):
        forger(tmp_path / str(number))
    paths = [str(tmp_path / str(number)) for number in range(len(HOSTILE))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, "-O", "-c", WATCHED, *paths]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert not run.returncode, run.stderr
    assert not (tmp_path / "harm-was-done").exists()


def test_there_are_enough_hostile_folders():
    assert len(HOSTILE) >= 60
