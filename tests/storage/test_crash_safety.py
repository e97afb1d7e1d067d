"""Every system call of a save fails once, in every way: the folder is the old one or the new one, and opens."""

import errno
import fcntl
import os
import re
import shutil

import pytest

from scansion.errors import StorageError
from scansion.storage import atomic
from scansion.storage.folders import open_folder

CALLS = ("open", "write", "fsync", "close", "mkdir", "makedirs", "rename", "listdir")


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Nothing here pulls the plug, so nothing needs to wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Killed(BaseException):
    """The process ends here: nothing it would have done to clean up is done."""


class FailingSystem:
    """``os`` as :mod:`atomic` sees it, failing at one call, or at that call and every later one."""

    def __init__(self, failing, fault):
        self.failing, self.fault, self.made = failing, fault, 0

    def __getattr__(self, name):
        function = getattr(os, name)
        return self.counted(name, function) if name in CALLS else function

    def counted(self, name, function):
        def call(*arguments, **options):
            self.made += 1
            if self.made == self.failing or (self.fault is Killed and self.made > self.failing):
                if name == "close":
                    function(*arguments)
                raise Killed if self.fault is Killed else OSError(self.fault, os.strerror(self.fault))
            return function(*arguments, **options)

        return call

    def broke(self):
        return self.made >= self.failing


def install(monkeypatch, failing, fault, exchange):
    system = FailingSystem(failing, fault)
    monkeypatch.setattr(atomic, "os", system)
    remove = shutil.rmtree
    swap = system.counted("exchange", atomic._exchanged)
    monkeypatch.setattr(atomic, "_exchanged", swap if exchange else lambda one, other: False)
    if fault is Killed:
        monkeypatch.setattr(shutil, "rmtree", system.counted("rmtree", remove))
    return system


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, Killed], ids=["full", "broken", "killed"])
@pytest.mark.parametrize(
    ("old", "exchange"),
    [(True, True), (True, False), (False, True)],
    ids=["exchanging", "stepping-aside", "a-new-place"],
)
def test_no_failing_call_breaks_the_folder(old, exchange, fault, save, tmp_path, monkeypatch):
    failing, finished = 0, False
    while not finished:
        failing += 1
        model = tmp_path / str(failing) / "model"
        model.parent.mkdir()
        if old:
            save(model, 1)
        with monkeypatch.context() as patched:
            system, sentence = install(patched, failing, fault, exchange), None
            try:
                save(model, 2)
                finished = not system.broke()
            except (StorageError, Killed) as error:
                sentence = str(error)
        if finished:
            break
        found = open_folder(model).json("config.json")["width"] if old or model.exists() else None
        assert found in ((1, 2) if old else (None, 2)), failing
        if fault == errno.ENOSPC and sentence:
            full = rf"The disk is full: {model} needs [\d,]+ bytes, [\d,]+ are free\."
            assert re.match(
                full if found != 2 else f"{model} is written and can be used, but the disk did not", sentence
            )
        save(model, 3)
        assert open_folder(model).json("config.json") == {"width": 3}
        assert [path.name for path in model.parent.iterdir()] == ["model"], failing
        shutil.rmtree(model.parent)
    assert failing > 20
    assert open_folder(model).json("config.json") == {"width": 2}


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_failed_save_leaves_no_partial_folder(fault, save, tmp_path, monkeypatch):
    save(tmp_path / "model", 1)
    with monkeypatch.context() as patched:
        install(patched, 12, fault, exchange=True)
        with pytest.raises(StorageError):
            save(tmp_path / "model", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_stepped_aside_for_a_dead_writer_comes_back(save, tmp_path):
    save(tmp_path / "model", 1)
    save(tmp_path / "new", 2)
    (tmp_path / "model").rename(tmp_path / ".model.old-0123abcd")
    (tmp_path / "new").rename(tmp_path / ".model.partial-0123abcd")
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_cannot_come_back_is_named(save, tmp_path, monkeypatch):
    save(tmp_path / "model", 1)
    (tmp_path / "model").rename(tmp_path / ".model.old-0123abcd")
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", lambda one, other: os.open("/nowhere", os.O_RDONLY))
        with pytest.raises(StorageError, match=r"model stands aside as \.model\.old-… .* Rename it yourself"):
            open_folder(tmp_path / "model")
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 1}


def test_another_models_leavings_are_not_touched(save, tmp_path):
    others = [".model2.partial-0123abcd", ".model.partial-mine", "model.old-0123abcd", ".model.old"]
    for name in others:
        (tmp_path / name).mkdir()
    save(tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "model"])


def test_a_lock_that_somebody_else_holds_on_the_folder_above_stops_nobody(save, tmp_path):
    save(tmp_path / "model", 1)
    (tmp_path / "model").rename(tmp_path / ".model.old-0123abcd")
    above = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(above, fcntl.LOCK_EX)
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 1}
    save(tmp_path / "model", 2)
    os.close(above)
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 2}


def test_what_a_living_writer_has_is_left_to_it(save, tmp_path):
    partial, descriptor = atomic._own_sibling(tmp_path / "model")
    save(tmp_path / "model", 1)
    assert partial.is_dir()
    aside = partial.with_name(partial.name.replace("partial", "old"))
    (tmp_path / "model").rename(aside)
    atomic._mend(tmp_path / "model")
    assert aside.is_dir()
    os.close(descriptor)
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 1}
    save(tmp_path / "model", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_a_living_writer_keeps_aside_is_named_after_a_while(save, tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "SECONDS_BETWEEN_LOOKS", 0.0)
    partial, descriptor = atomic._own_sibling(tmp_path / "model")
    save(partial.with_name(partial.name.replace("partial", "old")), 1)
    with pytest.raises(StorageError, match="another process has it, or this file system has no locks"):
        open_folder(tmp_path / "model")
    os.close(descriptor)
    assert open_folder(tmp_path / "model").json("config.json") == {"width": 1}


def test_a_full_disk_is_noticed_before_anything_is_written(save, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9 - 100, 100))
    with pytest.raises(StorageError, match=r"model needs [\d,]+ bytes and the disk has 100 free. Make room"):
        save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_room_is_asked_about_before_the_place_exists(tmp_path):
    atomic.check_room(tmp_path / "not" / "there" / "yet", 1)
    with pytest.raises(StorageError, match="needs 1,000,000,000,000,000,000 bytes"):
        atomic.check_room(tmp_path / "not" / "there" / "yet", 10**18)


def test_a_path_below_a_file_is_an_error_that_names_it(save, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="file/model could not be written: "):
        save(tmp_path / "file" / "model")


def test_every_file_is_on_the_disk_before_the_folder_gets_its_name(save, tmp_path, monkeypatch):
    calls = []

    def noted(name):
        return lambda *arguments, **options: calls.append(name) or getattr(os, name)(*arguments, **options)

    class Noting(FailingSystem):
        def counted(self, name, function):
            return noted(name)

    monkeypatch.setattr(atomic, "os", Noting(0, Killed))
    save(tmp_path / "model")
    renamed = calls.index("rename")
    assert calls[:renamed].count("fsync") == 5  # four files and their folder
    assert calls[renamed:].count("fsync") == 1  # the parent, which holds the name
