"""What is no file: pipes, devices, links to nothing, and input without an end."""

import os
import shutil
import subprocess
import threading

import pytest

from scansion.errors import DataError, StorageError, UsageError
from scansion.text import sources
from scansion.text.corpus import read_corpus
from scansion.text.documents import read_documents
from scansion.text.sources import find_source


@pytest.fixture
def labelled(tmp_path):
    for label in ("good", "bad"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.txt").write_text(f"a {label} film")
    return tmp_path


def put_pipe(path):
    os.mkfifo(path)


def put_device(path):
    path.symlink_to("/dev/zero")


def put_dangling(path):
    path.symlink_to("nowhere")


@pytest.mark.parametrize("put", [put_pipe, put_device, put_dangling])
def test_what_is_no_file_in_a_folder_is_named_and_not_read(labelled, put):
    put(labelled / "good" / "2.txt")
    with pytest.raises(DataError, match=r"good' holds '2.txt', which is a pipe, a device or a link to nothing"):
        read_documents(labelled)
    with pytest.raises(DataError, match=r"good' holds '2.txt'"):
        read_corpus([labelled])


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_a_device_is_refused_whatever_it_is_called(device, tmp_path):
    (tmp_path / "linked.csv").symlink_to(device)
    for path in (device, tmp_path / "linked.csv"):
        with pytest.raises(UsageError, match="is a device or a socket; expected a file, a folder or a pipe"):
            find_source(path)


def test_a_pipe_into_which_nobody_writes_is_not_waited_for_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "PIPE_PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="Nothing was written into the pipe"):
        find_source(tmp_path / "pipe")


def test_a_pipe_is_read_to_its_end_also_when_its_writer_is_late_and_slow(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    def write():
        with open(tmp_path / "pipe", "wb") as pipe:
            for _ in range(3):
                pipe.write(b"x" * 100_000)
                pipe.flush()

    writer = threading.Timer(0.2, write)
    writer.start()
    assert find_source(tmp_path / "pipe").path.read_bytes() == b"x" * 300_000
    writer.join()


def test_what_a_shell_hands_over_as_a_pipe_is_read():
    with subprocess.Popen(["sh", "-c", "sleep 0.1; echo text"], stdout=subprocess.PIPE) as writer:
        assert find_source(f"/dev/fd/{writer.stdout.fileno()}").path.read_bytes() == b"text\n"


def test_input_without_an_end_stops_before_the_disk_is_full_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sources.tempfile, "tempdir", str(tmp_path))
    free = iter([10**12, 10**12, 10])
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 0, next(free)))
    with open("/dev/zero", "rb") as endless, pytest.raises(StorageError, match=r"after 2,097,152 bytes .* make room"):
        sources._spooled(endless, "standard input")
    assert not list(tmp_path.iterdir())
