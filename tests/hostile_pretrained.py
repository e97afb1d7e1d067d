"""Pretrained folders made to take for ever, to take all memory or to run something; and the process that reads them.

Started as a program, it writes one folder after another, and reads each in a fork of its own, whose time and memory are
measured when it has ended.  What happened to each is printed as JSON.
"""

# ruff: noqa: E501

import base64
import copy
import json
import os
import random
import resource
import shutil
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MIB = 1 << 20
SPARSE = 3 << 30
WORDS = [*"abcdefgh", *(f"w{i}" for i in range(8))]
TEXTS = ["a" * 300, "w1 w2 " * 200, " " * 300, "A\u00e9\U0001f600\u4e2d\x00 \ufdfa\u0130 1234567", "", "w1", "!" * 100]
TEXTS = [*TEXTS, *(f"w{i % 8} w{i * 3 % 8} a b" for i in range(24 - len(TEXTS)))]
LABELS = ["a", "b"] * 12
PATTERNS = [
    "(a|a)*b", "(a+)+b", "(a|aa)+$", r"(\w+\s?)*!", r"(a|a){0,20}[bc]", r"\w*\w*\w*[!?]", r"[\s\S]*[\s\S]*\d", r"(a*)\1b",
    "a?" * 30 + "a" * 30, r"(?:a|a)" * 25 + "b", r"\g<0>", r"(?<n>a\g<n>?)", "(", "[", "[]", "a**", "a{1000000}",
    "(a{1000}){1000}", "a{,99999}b", "x*" * 100, "(?=" * 500 + ")" * 500, "(" * 5000 + ")" * 5000, "|" * 10**5, "",
    r"\p{Han", "(?i:" * 20, r"(?<=a*)b", r"(.*)(.*)(.*)(.*)z", r"(\d|\w|.)+[bc]$", r"((a*)*)*b",
]  # fmt: skip
DANGERS = (
    "exec", "compile", "import", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "pickle.find_class",
    "socket.connect", "ctypes.dlopen",
)


def models() -> dict[str, dict]:
    """One of each kind of tokenizer model, with the same special tokens in front."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    numbers = {word: number for number, word in enumerate([*special, *WORDS])}
    return {
        "WordLevel": {"type": "WordLevel", "vocab": numbers, "unk_token": "[UNK]"},
        "WordPiece": {"type": "WordPiece", "vocab": numbers, "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100},
        "BPE": {"type": "BPE", "vocab": numbers, "merges": [], "unk_token": "[UNK]"},
        "Unigram": {"type": "Unigram", "unk_id": 1, "vocab": [[word, -1.0] for word in numbers]},
    }


def replacing(pattern: dict, content: str) -> dict:
    return {"type": "Replace", "pattern": pattern, "content": content}


def splitting(pattern: str) -> dict:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def token(number: int, content: str, **more) -> dict:
    return {"id": number, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True} | more


def template(pieces: list, special: dict) -> dict:
    return {"type": "TemplateProcessing", "single": pieces, "pair": [], "special_tokens": special}


def tokenizers(honest: dict) -> Iterator[tuple[str, dict]]:
    """A name and the parts of tokenizer.json that are others."""
    for times in (2, 7, 10, 20, 30, 63, 65, 1_000, 20_000):
        for pattern, content in (({"String": "a"}, "aa"), ({"Regex": r"\w"}, "xyz"), ({"String": ""}, "q")):
            steps = [replacing(pattern, content)] * times
            yield f"{times} times {content}", {"normalizer": {"type": "Sequence", "normalizers": steps}}
    for size in (101, 10**4, 10**6, 10**7):
        for pattern in ({"String": "a"}, {"Regex": "."}):
            yield f"a replacement of {size}", {"normalizer": replacing(pattern, "é" * size)}
        yield f"a text before of {size}", {"normalizer": {"type": "Prepend", "prepend": "x" * size}}
    for depth in (10, 100, 5_000):
        nested = {"type": "Lowercase"}
        for _ in range(depth):
            nested = {"type": "Sequence", "normalizers": [nested] * (2 if depth == 10 else 1)}
        yield f"steps nested {depth} deep", {"normalizer": nested}
    for pattern in PATTERNS:
        yield f"split by {pattern[:20]}", {"pre_tokenizer": splitting(pattern)}
        yield f"replace {pattern[:20]}", {"normalizer": replacing({"Regex": pattern}, "x")}
        yield f"undo {pattern[:20]}", {"decoder": replacing({"Regex": pattern}, "x")}
        both = {"type": "Sequence", "pretokenizers": [splitting(r"\s"), splitting(pattern)]}
        yield f"split twice by {pattern[:20]}", {"pre_tokenizer": both}
    draw = random.Random(0)
    for number in range(40):
        length = draw.choice([0, 3, 4, 8, 1024])
        data = draw.randbytes(4) if number % 2 else (length - length % 4).to_bytes(4, "little")
        table = base64.b64encode(data + draw.randbytes(length) + b"a\0bb\0" * draw.randrange(100)).decode()
        yield f"a table of characters {number}", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": table}}
    long = base64.b64encode((1024).to_bytes(4, "little") + bytes(1024) + b"x" * 10**6).decode()
    yield "a table with a long text", {"normalizer": {"type": "Precompiled", "precompiled_charsmap": long}}
    for pre in ({"type": "FixedLength", "length": 0}, {"type": "FixedLength", "length": -1}, {"type": "Other"},
                {"type": "Metaspace", "replacement": "ab"}, {"type": "Sequence"}, {"type": "Sequence", "pretokenizers": 1},
                {"type": "CharDelimiterSplit", "delimiter": ""}, [], "x", 1, {"type": "Split"},
                {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}] * 10**5}):
        yield f"pre-tokenizer {str(pre)[:30]}", {"pre_tokenizer": pre}
    one = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    for before in (0, 1, 3, 33, 10**5):
        for numbers in ([2], [2] * 33, [10**6], [-1], [], list(range(10**5))):
            made = template([one] * before + [text, one], {"[CLS]": {"id": "[CLS]", "ids": numbers, "tokens": ["x"]}})
            yield f"{before} before, as {str(numbers)[:9]}", {"post_processor": made}
    for pieces in ([text] * 10**5, [], [{}], [1], {"a": 1}, [one]):
        yield f"around a text {str(pieces)[:20]}", {"post_processor": template(pieces, {})}
    for size in (1, 10**5):
        for content in ("", "a", "<{}>", "x" * 2_000):
            for flag in (True, False):
                listed = [token(5 + i, content.format(i), normalized=flag) for i in range(min(size, 2 * 10**7 // (99 + len(content))))]
                yield f"{size} added {content[:3]}", {"added_tokens": listed}
    yield "an added token beyond", {"added_tokens": [token(2**31, "zz")]}
    for cut in ({"max_length": 10, "stride": 20, "strategy": "LongestFirst", "direction": "Right"}, {"max_length": 0},
                {"max_length": 10**18, "stride": 10**18, "strategy": "OnlySecond", "direction": "Left"}):
        yield f"cut {cut}", {"truncation": cut}
    yield "padded to no end", {"padding": {"strategy": {"Fixed": 10**12}, "direction": "Right", "pad_id": 0,
                                           "pad_to_multiple_of": 10**9, "pad_type_id": 0, "pad_token": "x"}}
    yield from vocabularies(honest)


def vocabularies(honest: dict) -> Iterator[tuple[str, dict]]:
    for kind, model in models().items():
        lists = kind == "Unigram"
        yield f"{kind} as it is", {"model": model}
        for size in (10**5, 10**6):
            many = [f"x{i}" for i in range(size)]
            vocab = [[word, -1.0] for word in many] if lists else {word: i for i, word in enumerate(many)} | model["vocab"]
            yield f"{kind} of {size} words", {"model": model | {"vocab": vocab}}
        for long in (1_001, 10**6, 10**7):
            more = [*model["vocab"], ["x" * long, -1.0]] if lists else model["vocab"] | {"x" * long: 20}
            yield f"{kind} with a word of {long}", {"model": model | {"vocab": more}}
        for unknown in ("nowhere", None, "", 7):
            name = "unk_id" if lists else "unk_token"
            yield f"{kind} without the unknown: {unknown}", {"model": model | {name: unknown}}
        for number in (-1, 21, 2**31, 2**32, 2**64, 1.5, None) if not lists else (float("1e308"), -1e308, None):
            more = [*model["vocab"], ["q", number]] if lists else model["vocab"] | {"q": number}
            yield f"{kind} with the number {number}", {"model": model | {"vocab": more}}
        yield f"{kind} of nothing", {"model": model | {"vocab": [] if lists else {}}}
    model = models()["WordPiece"]
    for most in (1_001, 10**9, 2**64, -1):
        yield f"words of {most} characters", {"model": model | {"max_input_chars_per_word": most}}
    model, words = models()["BPE"], {"ab": 0, "a": 1, "b": 2}
    for merges in ([["a", "b"]] * 10**6, ["a b"] * 10**6, [["a", "c"]], [["a"]], [1], ["a b c"], {"a": 1}):
        yield f"merges {str(merges)[:20]}", {"model": model | {"vocab": words, "unk_token": None, "merges": merges}}
    for more in ({"dropout": 0.5}, {"dropout": 7}, {"continuing_subword_prefix": "éé"}, {"end_of_word_suffix": "x" * 10**6},
                 {"byte_fallback": True}, {"fuse_unk": 1}, {"cache_capacity": 10**18}):
        yield f"BPE {str(more)[:30]}", {"model": model | {"merges": [["a", "b"]], "vocab": model["vocab"] | words} | more}
    for kind in ("Other", None, 1, []):
        yield f"a model of kind {kind}", {"model": {"type": kind, "vocab": {}}}


def settings() -> Iterator[tuple[str, dict[str, bytes]]]:
    """Other files of a tokenizer."""
    many = {str(5 + i): {"content": f"<{i}>"} for i in range(10**5)}
    for name, value in {
        "added_tokens.json": {f"<{i}>": 5 + i for i in range(10**5)},
        "tokenizer_config.json": {"added_tokens_decoder": many},
        "special_tokens_map.json": {"additional_special_tokens": [f"<{i}>" for i in range(10**5)]},
    }.items():
        yield f"{name} of many", {name: json.dumps(value).encode()}
    listed = [f"<{i}>" for i in range(10**5)]
    for value in ({"extra_special_tokens": listed}, {"extra_special_tokens": ["x" * 10**6]}, {"cls_token": "x" * 10**6},
                  {"added_tokens_decoder": {"999999999": "zz"}}, {"added_tokens_decoder": {"7": {"content": ""}}},
                  {"model_max_length": 4}, {"model_max_length": 10**30}, {"split_special_tokens": True}):
        yield f"tokenizer_config.json {str(value)[:40]}", {"tokenizer_config.json": json.dumps(value).encode()}
    for lines in (b"x\n" * 10**6, b"".join(b"w%d\n" % i for i in range(10**6)), b"x" * 10**7, b"\xff\n", b"", b"\n" * 60):
        yield f"vocab.txt {lines[:9]!r}", {"tokenizer.json": None, "vocab.txt": lines}
    roberta = json.dumps({"tokenizer_class": "RobertaTokenizer"}).encode()
    pairs = {"tokenizer.json": None, "tokenizer_config.json": roberta, "merges.txt": b"a b\n", "vocab.json": b'{"a": 0}'}
    for name, value in (("vocab.json", json.dumps({f"x{i}": i for i in range(10**6)}).encode()), ("vocab.json", b"[1]"),
                        ("vocab.json", b"null"), ("vocab.json", b'{"a": null}'), ("merges.txt", b"a b\n" * 10**7),
                        ("merges.txt", b"a b c\n"), ("vocab.json", b"[" * 10**6), ("vocab.json", b"[]," * 10**7)):
        yield f"{name} {value[:20]!r}", pairs | {name: value}


def header(entries: dict) -> bytes:
    written = json.dumps(entries).encode()
    return len(written).to_bytes(8, "little") + written


def weights(honest: dict[str, bytes]) -> Iterator[tuple[str, dict]]:
    """Files of weights, and how long they are made with bytes that are not there."""
    name, data = "model.safetensors", honest["model.safetensors"]
    size = int.from_bytes(data[:8], "little")
    entries = json.loads(data[8 : 8 + size])
    table = "embeddings.word_embeddings.weight"
    numbers = SPARSE // 4
    for what, begin in {
        "zeros": b"", "no header": (2**63).to_bytes(8, "little"), "a header of 8 MiB": (8 * MIB).to_bytes(8, "little"),
        "a header as long as the file": (SPARSE - 8).to_bytes(8, "little"), "text": b"{" * 100, "honest, grown": data,
        "one tensor": header({"x": {"dtype": "F32", "shape": [numbers], "data_offsets": [0, SPARSE]}}),
    }.items():
        yield f"3 GiB of weights: {what}", {name: (begin, SPARSE)}
    for what, shape in (("a table of wide rows", [21, numbers // 21]), ("a table of many rows", [numbers // 16, 16]),
                        ("a table without rows", []), ("a table of one", [numbers])):
        grown, end = copy.deepcopy(entries), max(each["data_offsets"][1] for each in entries.values())
        grown["filling"] = {"dtype": "F32", "shape": list(entries[table]["shape"]), "data_offsets": entries[table]["data_offsets"]}
        last = int(np.prod(shape, dtype=np.int64)) * 4
        grown[table] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + last]}
        begin = header(grown) + data[8 + size :]
        yield what, {name: (begin, len(header(grown)) + end + last)}
        config = json.loads(honest["config.json"]) | {"vocab_size": (shape or [1])[0]}
        if len(shape) == 2:
            config["hidden_size"] = shape[1]
        yield f"{what}, as config.json says", {
            name: (begin, len(header(grown)) + end + last), "config.json": json.dumps(config).encode()}
    many = {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(10**5)}
    yield "a header of many tensors", {name: header(many)}
    index = "model.safetensors.index.json"
    for what, content in (("sparse", (b"{", SPARSE)), ("of many", json.dumps({"weight_map": {
        f"t{i}": f"model-{i}.safetensors" for i in range(10**5)}}).encode()), ("nested", b'{"weight_map":' * 10**6)):
        yield f"an index {what}", {name: None, index: content}
    draw = random.Random(1)
    for number in range(60):
        flipped = bytearray(data)
        for _ in range(draw.choice([1, 3, 20])):
            flipped[draw.randrange(8 + size)] ^= 1 << draw.randrange(8)
        yield f"weights with other bits {number}", {name: bytes(flipped)}
    for number in range(20):
        yield f"weights cut {number}", {name: data[: draw.randrange(len(data))]}


def broken_json(honest: dict[str, bytes]) -> Iterator[tuple[str, dict]]:
    draw = random.Random(2)
    for name in ("tokenizer.json", "config.json"):
        for what, content in (("deep", b"[" * 10**6), ("deep objects", b'{"a":' * 10**6), ("many", b"[" + b"[]," * 10**7 + b"1]"),
                              ("a number of a million digits", b"1" * 10**6), ("a text without end", b'{"' + b"x" * 10**7),
                              ("sparse", (b"{", SPARSE)), ("nothing", b""), ("null", b"null"), ("zeros", bytes(10**6))):
            yield f"{name}: {what}", {name: content}
        for number in range(60):
            flipped = bytearray(honest[name])
            for _ in range(draw.choice([1, 3, 20])):
                flipped[draw.randrange(len(flipped))] = draw.randrange(256)
            yield f"{name} with other bytes {number}", {name: bytes(flipped)}
    config = json.loads(honest["config.json"])
    for name in ("num_hidden_layers", "num_attention_heads", "hidden_size", "intermediate_size", "vocab_size",
                 "max_position_embeddings", "type_vocab_size"):
        for value in (0, -1, 10**9, 10**18):
            yield f"{name} {value}", {"config.json": json.dumps(config | {name: value}).encode()}


def cases(honest: dict[str, bytes]) -> Iterator[tuple[str, dict]]:
    """A name, and the files that are others: bytes, bytes and the length of a file with a hole, or None for no file."""
    spec = json.loads(honest["tokenizer.json"])
    yield from tokenizers(spec)
    yield from settings()
    yield from weights(honest)
    yield from broken_json(honest)


def write(place: Path, honest: dict[str, bytes], others: dict) -> None:
    spec = json.loads(honest["tokenizer.json"])
    if not any("." in name for name in others):
        others = {"tokenizer.json": written(spec | others)}
    for name, content in (honest | others).items():
        if content is not None:
            begin, length = content if isinstance(content, tuple) else (content, 0)
            with open(place / name, "wb") as file:
                file.write(begin)
                if length > len(begin):
                    file.truncate(length)


def written(spec: dict) -> bytes:
    """JSON that may be nested deeper than Python writes it."""
    try:
        return json.dumps(spec).encode()
    except RecursionError:
        deep, kept = 5_000, spec | {"normalizer": None}
        inner = '{"type":"Sequence","normalizers":[' * deep + '{"type":"Lowercase"}' + "]}" * deep
        return json.dumps(kept).replace('"normalizer": null', f'"normalizer": {inner}').encode()


def read(place: Path) -> str:
    """What became of a folder: read, refused with its sentence, or a fault."""
    from scansion import DocumentClassifier, Pretrained
    from scansion.errors import ScansionError

    try:
        DocumentClassifier(Pretrained(str(place), "frozen")).fit(TEXTS, LABELS)
        return "read"
    except ScansionError as error:
        return f"refused: {error}"
    except BaseException as error:
        return f"fault: {type(error).__name__}: {error} {traceback.format_exc()[-400:]}"


def in_a_fork(place: Path) -> tuple[str, float, float]:
    """What became of it, processor seconds, and MiB at the highest."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        seen: list = []
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)  # where a library's panic is told
        sys.addaudithook(lambda event, arguments: seen.append(event) if event in DANGERS else None)
        told = read(place)
        ran = bool(seen) and not told.startswith("fault")  # to tell of a fault takes imports
        os.write(writing, (f"fault: ran {seen[:3]}" if ran else told).encode()[:4000])
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        told = pipe.read()
    _, status, used = os.wait4(child, 0)
    return told or f"fault: ended by {status}", used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main(folder: Path, every: int, first: int = 0) -> None:
    import warnings

    import torch

    from encoders import write_encoder

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    write_encoder(folder / "honest", WORDS)
    honest = {path.name: path.read_bytes() for path in (folder / "honest").iterdir() if path.is_file()}
    assert read(folder / "honest") == "read"
    read(folder / "nowhere")
    "\x1b".encode("unicode_escape")  # Python imports a codec when it is first used
    for number, (name, others) in enumerate(cases(honest)):
        if number % every != first:
            continue
        place = folder / "hostile"
        place.mkdir()
        write(place, honest, others)
        told, seconds, mebibytes = in_a_fork(place)
        shutil.rmtree(place)
        sys.stdout.write(json.dumps([name, told, seconds, mebibytes]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
