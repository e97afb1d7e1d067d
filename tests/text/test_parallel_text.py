"""Parallel text: lines stay with their partners, and files that do not fit together are refused."""

import pytest

from scansion.errors import DataError
from scansion.text.parallel_text import read_parallel


@pytest.fixture
def write(tmp_path):
    def write(name, *lines):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write


def test_line_i_belongs_to_line_i_and_is_read_again_and_again(write):
    text = read_parallel(write("a.en", "one", 'two, "quoted"', "tab\there"), write("a.de", "eins", "zwei", "drei"))
    assert len(text) == 3
    for _ in range(2):
        assert list(zip(text.source, text.target, strict=True)) == [
            ("one", "eins"), ('two, "quoted"', "zwei"), ("tab\there", "drei")
        ]  # fmt: skip
    assert text.name == "a.en and a.de"


@pytest.mark.parametrize(
    ("source", "target", "named"), [(3, 2, "line 3 of a.en has no partner"), (2, 5, "line 3 of a.de has no partner")]
)
def test_files_of_unequal_length_are_refused_with_the_first_line_that_has_no_partner(write, source, target, named):
    with pytest.raises(DataError, match=named):
        read_parallel(write("a.en", *["x"] * source), write("a.de", *["y"] * target))


def test_pairs_with_an_empty_side_are_left_out_and_counted(write):
    source, target = write("a.en", "one", "", "three", "four"), write("a.de", "eins", "zwei", " ", "vier")
    text = read_parallel(source, target, most_empty=0.5)
    assert (text.left_out, list(text.source), list(text.target)) == (2, ["one", "four"], ["eins", "vier"])
    with pytest.raises(DataError, match=r"2 of 4 pairs .* have an empty side \(lines 2, 3\), more than the 1.0%"):
        read_parallel(source, target)


def test_empty_files_are_refused(write):
    with pytest.raises(DataError, match="are empty"):
        read_parallel(write("a.en"), write("a.de"))
