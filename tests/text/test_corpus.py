"""A corpus gives every character of its files back, in documents that are decided and told."""

import gzip

import pytest

from scansion.errors import DataError, UsageError
from scansion.text.corpus import ENDS, is_plain_text, read_corpus

VERSE = "a line\nanother\n\na third\n\n\nafter two\n\nlast\n"


@pytest.fixture
def corpus(tmp_path):
    def made(text: str | bytes, name: str = "corpus.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return made


@pytest.mark.parametrize("rule", ["lines", "paragraphs", "files"])
@pytest.mark.parametrize("text", [VERSE, "one line\n", "\n\nfrom below\n", "no end", "a\r\n\r\nb\r\n"])
def test_documents_with_what_ends_them_are_the_file(corpus, rule, text):
    found = read_corpus([corpus(text)], documents=rule)
    whole = "".join(document + ENDS[rule] for document in found)
    assert whole.rstrip("\n") == text.replace("\r\n", "\n").rstrip("\n")
    assert len(list(found)) == len(found)
    assert sum(map(len, found)) == found.characters


def test_paragraphs_are_chosen_where_lines_are_empty_and_lines_where_they_are_not(corpus):
    verse = read_corpus([corpus(VERSE)])
    assert list(verse) == ["a line\nanother", "a third", "\nafter two", "last"]
    assert verse.reason.startswith("A document is what stands between empty lines (one line in 2.2 is empty")
    lines = read_corpus([corpus("a\n" * 99 + "\nb\n")])
    assert len(lines) == 101
    assert lines.reason.startswith("A document is a line (of 101 lines 1 are empty")


def test_several_files_and_folders_are_one_corpus(corpus, tmp_path):
    paths = [corpus("a\nb\n", "1.txt"), corpus("c\n", "2.txt"), corpus(gzip.compress(b"d\n"), "3.txt.gz")]
    assert list(read_corpus(paths)) == ["a", "b", "c", "d"]
    folder = tmp_path / "folder"
    corpus("one\ntwo\n", "folder/1.txt"), corpus("three", "folder/2.txt")
    assert list(read_corpus([str(folder)])) == ["one\ntwo", "three"]
    assert list(read_corpus([str(folder)], documents="lines")) == ["one", "two", "three"]
    assert is_plain_text(paths)
    assert is_plain_text([str(folder)])
    assert not is_plain_text(paths[:2])  # rather a text and its translation


def test_a_tables_column_is_a_corpus_with_a_document_a_row(corpus):
    path = corpus("id,body\n1,hello there\n2,\"two\nlines\"\n", "table.csv")
    found = read_corpus([path], text="body")
    assert list(found) == ["hello there", "two\nlines"]
    assert found.documents == "rows"
    assert found.columns.text == ("body",)
    assert not is_plain_text([path])
    with pytest.raises(UsageError, match="--documents is for plain text"):
        read_corpus([path], documents="lines")


def test_a_table_in_a_txt_is_no_plain_text(corpus):
    assert not is_plain_text([corpus("text\tlabel\nfine\tup\nbad\tdown\n")])
    assert is_plain_text([corpus("fine, I said.\nbad\n")])


def test_a_line_may_be_longer_than_a_cell_of_a_table(corpus, monkeypatch):
    monkeypatch.setattr("scansion.text.encodings.LONGEST_LINE", 10)
    assert [len(document) for document in read_corpus([corpus("x" * 1_000_000)])] == [1_000_000]


@pytest.mark.parametrize(("text", "said"), [
    ("", "corpus.txt holds no text"), ("\n\n\n", "corpus.txt holds no text"), (b"\xff\xfe\xfa", "is not UTF-16"),
    (b"caf\xe9\n", "is not UTF-8 text"), (b"PK\x03\x04", "is no text but a zip archive"),
])
def test_what_is_no_text_is_refused_by_name(corpus, text, said):
    with pytest.raises(DataError, match=said):
        read_corpus([corpus(text)])


def test_arguments_that_do_not_fit_are_refused(corpus):
    path, table = corpus(VERSE), corpus("text\nx\n", "table.csv")
    with pytest.raises(UsageError, match="A document is no 'line'; did you mean 'lines'"):
        read_corpus([path], documents="line")
    with pytest.raises(UsageError, match="There is no file"):
        read_corpus([path + "x"])
    with pytest.raises(UsageError, match="is a table, and a table is read alone"):
        read_corpus([path, table])


def test_a_file_that_was_changed_while_it_was_in_use_is_noticed(corpus):
    found = read_corpus([corpus(VERSE)])
    corpus("something else")
    with pytest.raises(DataError, match="was changed while it was in use"):
        list(found)
