"""Arrays through safetensors and back, bit for bit; whatever the header check lets through, the library reads."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from scansion.errors import DivergedError, UnsafeFolderError
from scansion.storage.fingerprints import fingerprint_of, sha256_of
from scansion.storage.tensors import check_header, tensors_from_bytes, tensors_to_bytes

dtypes = st.sampled_from(["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", ">i4", ">f8"])
shapes = arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
finite = {"allow_nan": False, "allow_infinity": False}
tensors = dtypes.flatmap(
    lambda dtype: arrays.arrays(dtype, shapes, elements=arrays.from_dtype(np.dtype(dtype), **finite))
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(min_size=1, max_size=20).filter(lambda name: name != "__metadata__"), tensors))
def test_every_array_survives_the_file(given_tensors):
    data = tensors_to_bytes(given_tensors)
    read = tensors_from_bytes(data, "file")
    assert read.keys() == given_tensors.keys() == safetensors.numpy.load(data).keys()
    for name, tensor in given_tensors.items():
        assert read[name].dtype == tensor.dtype.newbyteorder("=")
        assert read[name].shape == tensor.shape
        assert read[name].tobytes() == tensor.astype(read[name].dtype).tobytes()
        assert read[name].flags.writeable


def test_a_view_is_stored_as_it_is_seen():
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    views = {
        "transposed": whole.T,
        "stepped": whole[::2, ::-3],
        "column": whole[:, 1],
        "broadcast": np.broadcast_to(whole[0], (3, 6)),
    }
    read = tensors_from_bytes(tensors_to_bytes(views), "file")
    for name, view in views.items():
        np.testing.assert_array_equal(read[name], view)


def test_the_same_arrays_give_the_same_bytes():
    one, two = {"a": np.zeros(2), "b": np.ones(3)}, {"b": np.ones(3), "a": np.zeros(2)}
    assert tensors_to_bytes(one) == tensors_to_bytes(two)


HONEST = tensors_to_bytes(
    {"weight": np.arange(6, dtype=np.float32).reshape(2, 3), "bias": np.zeros(2), "seen": np.ones(3, bool)}
)


def test_weights_cut_at_any_length_are_refused_even_with_a_matching_digest():
    for length in range(len(HONEST)):
        with pytest.raises(UnsafeFolderError):
            tensors_from_bytes(HONEST[:length], "file")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_changed_bytes_are_read_or_refused_but_never_crash(changes):
    data = bytearray(HONEST)
    for place, byte in changes:
        data[place] = byte
    try:
        read = tensors_from_bytes(bytes(data), "file")
    except (UnsafeFolderError, DivergedError):
        return
    assert sum(tensor.nbytes for tensor in read.values()) == 6 * 4 + 2 * 8 + 3


def test_every_changed_byte_of_the_header_is_read_or_refused_but_never_crashes():
    for place in range(8 + int.from_bytes(HONEST[:8], "little")):
        for byte in b'\x00 "{}[]:,0129-.eFtnu\\\xff':
            data = HONEST[:place] + bytes([byte]) + HONEST[place + 1 :]
            try:
                check_header(data, "file")
            except UnsafeFolderError:
                continue
            safetensors.numpy.load(data)


def test_a_fingerprint_knows_where_a_text_ends():
    assert fingerprint_of(["ab", "c"]) != fingerprint_of(["a", "bc"]) != fingerprint_of(["bc", "a"])
    assert fingerprint_of(iter(["a", "\ud800"])) == fingerprint_of(["a", "\ud800"])
    assert sha256_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
