"""Arrays that outgrow memory, against the same arrays that do not."""

import errno

import numpy as np
import pytest

from scansion.errors import StorageError
from scansion.spill import Growing, Spill, Stored

PARTS = [np.arange(5), np.zeros(0, np.int64), np.arange(100, 109), np.arange(3)]
WHOLE = np.concatenate(PARTS)


@pytest.mark.parametrize(("in_memory", "kind"), [(1 << 20, np.ndarray), (30, Stored), (0, Stored)])
def test_an_array_reads_the_same_wherever_it_lies(in_memory, kind):
    growing = Growing(np.int32, in_memory)
    for part in PARTS:
        growing.append(part)
    flat = growing.done()
    assert (type(flat), len(flat), flat.dtype) == (kind, len(WHOLE), np.int32)
    for part in (slice(None), slice(0, 0), slice(3, 11), slice(16, 99), slice(-2, None)):
        np.testing.assert_array_equal(flat[part], WHOLE[part])


def test_two_arrays_share_a_file():
    spill = Spill()
    numbers, shares = spill.store(np.arange(7, dtype=np.int32)), spill.store(np.linspace(0, 1, 5))
    empty = spill.store(np.zeros(0, np.float32))
    np.testing.assert_array_equal(numbers[2:5], [2, 3, 4])
    np.testing.assert_array_equal(shares[:], np.linspace(0, 1, 5))
    assert (len(empty[:]), empty[:].dtype) == (0, np.float32)


def test_an_array_that_is_read_can_be_changed():
    stored = Spill().store(np.arange(4))
    stored[:][0] = 9
    np.testing.assert_array_equal(stored[:], np.arange(4))


def test_a_full_disk_is_told_with_the_folder_and_the_way_out(monkeypatch, tmp_path):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    with pytest.raises(StorageError, match=r"32 bytes .* cannot be kept.*\(No space left on device\).*TMPDIR"):
        Spill().store(np.arange(4))
