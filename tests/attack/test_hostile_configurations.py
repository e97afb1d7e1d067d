"""Every field of a foreign folder's JSON files and of its weights' header, replaced by what does not belong there.

A folder is read, or refused with a sentence: it is never a fault of the package, and takes no time and no memory.
"""

import copy
import json
import shutil
import time
from collections import Counter

import numpy as np
import pytest

from encoders import write_encoder
from scansion import DocumentClassifier, Pretrained
from scansion.errors import ScansionError

VALUES = [
    None, [], {}, "x", "", -1, 0, 1.5, 10**30, 1e308, True, [1, 2], {"a": 1}, float("nan"), "\x1b[2J", 2**31, [[]],
]  # fmt: skip
WORDS = [f"w{i}" for i in range(8)]
TEXTS, LABELS = [f"w{i % 8} w{i * 3 % 8}" for i in range(24)], ["a", "b"] * 12
WEIGHTS = "model.safetensors"
OTHER_FILES = (
    "modules.json", "1_Pooling/config.json", "sentence_bert_config.json", "tokenizer_config.json",
    "special_tokens_map.json", "added_tokens.json", "vocab.txt", "config_sentence_transformers.json",
)  # fmt: skip
OTHER_VALUES = [
    {"max_seq_length": None}, {"do_lower_case": []}, {"word_embedding_dimension": "x"}, [{"path": 1, "type": 2}],
    [{"idx": 0, "name": "0", "path": "", "type": "x"}], {"tokenizer_class": 1}, {"model_max_length": 1e30},
    {"model_max_length": []},
]  # fmt: skip
LONG_SECONDS = 2.0
SHORT = 61
"""Every so many of them are tried in the short form."""


def places(value, path=()):
    """Where a value can be replaced, of a long list in its first two entries."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for name, entry in entries:
        yield from places(entry, (*path, name))


def replaced(value, path, new):
    if not path:
        return new
    value = copy.deepcopy(value)
    holder = value
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = new
    return value


def sealed(header, body):
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + body


def cases(honest):
    """A name for each, and the files that are others."""
    for name in (each for each in honest if each.endswith(".json")):
        value = json.loads(honest[name])
        for path in places(value):
            if "vocab" not in path[:-1]:
                for new in VALUES:
                    yield f"{name} {path} {new!r}", {name: json.dumps(replaced(value, path, new)).encode()}
    for name in OTHER_FILES:
        for new in VALUES + OTHER_VALUES:
            yield f"{name} {new!r}", {name: json.dumps(new).encode()}
    size = 8 + int.from_bytes(honest[WEIGHTS][:8], "little")
    header, body = json.loads(honest[WEIGHTS][8:size]), honest[WEIGHTS][size:]
    for new in [*VALUES, {"format": 1}, {"format": None}, {"a": [1]}]:
        yield f"__metadata__ {new!r}", {WEIGHTS: sealed(header | {"__metadata__": new}, body)}
    for path in places({name: header[name] for name in list(header)[:4]}):
        for new in [*VALUES, "F64", "BOOL", "I64", "BF16", [-1], [0, 0], [10**18, 10**18], [1.5]]:
            if path:
                yield f"{path} {new!r}", {WEIGHTS: sealed(replaced(header, path, new), body)}


def tried(folder, every):
    """How often each end came, and the cases that were a fault or slow."""
    write_encoder(folder / "honest", WORDS)
    honest = {path.name: path.read_bytes() for path in (folder / "honest").iterdir()}
    ends, faults = Counter(), []
    for number, (name, others) in enumerate(cases(honest)):
        if number % every:
            continue
        place = folder / "hostile"
        for file, content in (honest | others).items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_bytes(content)
        begun = time.process_time()
        try:
            DocumentClassifier(Pretrained(str(place), "frozen")).fit(TEXTS, LABELS)
            ends["read"] += 1
        except ScansionError:
            ends["refused"] += 1
        except Exception as error:
            faults.append(f"{name}: {type(error).__name__}: {error}")
        if time.process_time() - begun > LONG_SECONDS:
            faults.append(f"{name}: {time.process_time() - begun:.1f} s")
        shutil.rmtree(place)
    return ends, faults


@pytest.mark.filterwarnings("ignore")
def test_some_of_all_fields_replaced_are_read_or_refused(tmp_path):
    ends, faults = tried(tmp_path, SHORT)
    assert not faults
    assert ends["refused"] > 7


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_every_field_replaced_is_read_or_refused(tmp_path):
    ends, faults = tried(tmp_path, 1)
    assert not faults
    assert ends["refused"] > 150
    assert np.sum(list(ends.values())) > 1_000
