"""Dataclasses through JSON and back: nothing changes, nothing unknown gets in."""

import json
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.errors import UnsafeFolderError, UsageError
from scansion.storage.schema import from_json, to_json
from scansion.storage.strict_json import json_bytes, parse_json


@dataclass(frozen=True)
class Inner:
    depth: int
    name: str = "inner"


@dataclass(frozen=True)
class Outer:
    count: int
    rate: float
    flag: bool
    text: str
    mode: Literal["mean", "max", 3]
    inner: Inner
    pair: tuple[int, float]
    words: tuple[str, ...] = ()
    layers: tuple[Inner, ...] = ()
    extra: dict[str, int | float | str] = field(default_factory=dict)
    seed: int | None = None
    cut: float | str | None = None
    labels: tuple[str, ...] | None = None
    nested: Inner | None = None


integers = st.integers(-(2**63) + 1, 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text()
inners = st.builds(Inner, integers, texts)
outers = st.builds(
    Outer,
    integers,
    floats,
    st.booleans(),
    texts,
    st.sampled_from(["mean", "max", 3]),
    inners,
    st.tuples(integers, floats),
    st.lists(texts).map(tuple),
    st.lists(inners).map(tuple),
    st.dictionaries(texts, integers | floats | texts),
    integers | st.none(),
    floats | texts | st.none(),
    st.none() | st.lists(texts).map(tuple),
    st.none() | inners,
)
EXAMPLE = Outer(1, 0.5, True, "a", "mean", Inner(2), (3, 4.0))


@settings(deadline=None, max_examples=50)
@given(outers)
def test_every_instance_survives_the_file(instance):
    read = from_json(Outer, parse_json(json_bytes(to_json(instance)), "file"), "file")
    assert read == instance
    assert repr(read) == repr(instance)  # 1 and 1.0, -0.0 and 0.0 are told apart


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | integers | floats | texts, lambda v: st.lists(v) | st.dictionaries(texts, v)
    )
)
def test_every_json_value_survives(value):
    assert repr(parse_json(json_bytes(value), "file")) == repr(value)


@settings(deadline=None, max_examples=50)
@given(st.binary() | texts.map(str.encode) | st.text('{}[]",:\\u0123456789d .eE+-').map(str.encode))
def test_any_bytes_are_read_as_python_reads_them_or_refused(data):
    try:
        value = parse_json(data, "file")
    except UnsafeFolderError:
        return
    assert value == json.loads(data)


@settings(deadline=None, max_examples=50)
@given(outers, st.data())
def test_any_key_removed_or_added_is_refused_or_was_optional(instance, data):
    mapping = to_json(instance)
    removed = data.draw(st.sampled_from(sorted(mapping)))
    without = {key: value for key, value in mapping.items() if key != removed}
    if removed in ("words", "layers", "extra", "seed", "cut", "labels", "nested"):
        from_json(Outer, without, "file")
    else:
        with pytest.raises(UnsafeFolderError, match=f"file: missing '{removed}'"):
            from_json(Outer, without, "file")
    with pytest.raises(UnsafeFolderError, match="unknown key"):
        from_json(Outer, {**mapping, removed + "_": 1}, "file")


def test_a_whole_number_will_do_for_a_number_and_becomes_one():
    rate = from_json(Outer, to_json(EXAMPLE) | {"rate": 2}, "file").rate
    assert (rate, type(rate)) == (2.0, float)


def test_a_file_never_names_a_class():
    assert b"Outer" not in json_bytes(to_json(EXAMPLE))
    assert b"Inner" not in json_bytes(to_json(EXAMPLE))


def test_numpy_numbers_are_stored_as_numbers():
    assert to_json(Inner(np.int64(3))) == {"depth": 3, "name": "inner"}  # a grid search hands these over


WRONG = [
    ({"count": True}, "'count' must be a whole number, got true"),
    ({"count": 1.0}, "'count' must be a whole number, got the number 1.0"),
    ({"count": "1"}, "'count' must be a whole number, got the text '1'"),
    ({"count": 2**63}, "'count' must be a whole number, got the number 9223372036854775808"),
    ({"rate": True}, "'rate' must be a number, got true"),
    ({"rate": float("nan")}, "'rate' must be a number, got the number nan"),
    ({"flag": 1}, "'flag' must be true or false, got the number 1"),
    ({"text": None}, "'text' must be text, got null"),
    ({"mode": "sum"}, "'mode' must be one of 'mean', 'max', 3, got the text 'sum'"),
    ({"mode": 3.0}, "'mode' must be one of 'mean', 'max', 3, got the number 3.0"),
    ({"inner": {"depht": 1}}, "unknown key 'inner.depht'; did you mean 'depth'?"),
    ({"inner": {}}, "missing 'inner.depth'"),
    ({"inner": []}, "'inner' must be an object, got a list"),
    ({"pair": [1]}, "'pair' must have 2 entries, got 1"),
    ({"pair": [1, "x"]}, "'pair[1]' must be a number, got the text 'x'"),
    ({"words": "abc"}, "'words' must be a list, got the text 'abc'"),
    ({"words": ["a", 1]}, "'words[1]' must be text, got the number 1"),
    ({"layers": [{"depth": 1}, {"depth": None}]}, "'layers[1].depth' must be a whole number, got null"),
    ({"extra": {"a": None}}, "'extra.a' must be a whole number or a number or text, got null"),
    ({"seed": 0.5}, "'seed' must be a whole number or null, got the number 0.5"),
    ({"labels": [1]}, "'labels[0]' must be text, got the number 1"),
    ({"nested": {"depth": "x"}}, "'nested.depth' must be a whole number, got the text 'x'"),
]


@pytest.mark.parametrize(("change", "sentence"), WRONG)
def test_a_wrong_value_is_named_with_what_was_expected(change, sentence):
    with pytest.raises(UnsafeFolderError) as refusal:
        from_json(Outer, to_json(EXAMPLE) | change, "model/config.json")
    assert str(refusal.value).startswith("model/config.json: ")
    assert sentence in str(refusal.value)


def test_what_could_not_be_read_back_is_not_written():
    with pytest.raises(UsageError, match="Inner: 'depth' must be a whole number, got the text '2'"):
        to_json(Inner("2"))
    with pytest.raises(UsageError, match="half a surrogate pair"):
        json_bytes(["\ud800"])
    with pytest.raises(UsageError, match="cannot be written as JSON"):
        json_bytes([float("nan")])


@dataclass(frozen=True)
class Positive:
    width: int

    def __post_init__(self):
        if self.width < 1:
            raise UsageError(f"width is {self.width}; give a whole number from 1.")


def test_a_value_the_class_itself_refuses_is_refused_with_the_file():
    with pytest.raises(UnsafeFolderError, match=r"config.json: width is 0; give a whole number from 1\."):
        from_json(Positive, {"width": 0}, "config.json")


@dataclass(frozen=True)
class Unstorable:
    anything: object


def test_a_field_no_file_can_hold_is_the_programmers_error():
    with pytest.raises(UsageError, match="cannot be stored"):
        from_json(Unstorable, {"anything": 1}, "file")
