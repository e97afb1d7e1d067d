"""One fit at a time into one place."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scansion.errors import StorageError
from scansion.storage.lock_file import only_fit_into


def test_a_second_fit_into_the_same_place_is_refused_whatever_the_place_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "model")
    with only_fit_into(tmp_path / "model"):
        for name in ("model", "linked", "./model/", tmp_path / "model"):
            with pytest.raises(StorageError, match="Another process is fitting"), only_fit_into(Path(name)):
                pass
        with only_fit_into(tmp_path / "model2"):
            pass
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linked"]
    with only_fit_into(tmp_path / "model"):
        pass


def test_a_lock_that_a_killed_process_has_left_is_no_hindrance(tmp_path):
    code = (
        "import os, signal, sys, pathlib\nfrom scansion.storage.lock_file import only_fit_into\n"
        "with only_fit_into(pathlib.Path(sys.argv[1])):\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "model")], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == [".model.lock"]
    with only_fit_into(tmp_path / "model"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_that_was_removed_between_opening_and_locking_is_made_anew(tmp_path, monkeypatch):
    real, opened = fcntl.flock, []

    def flock(descriptor, operation):
        if not opened:
            (tmp_path / ".model.lock").unlink()
        opened.append(descriptor)
        return real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with only_fit_into(tmp_path / "model"):
        assert len(opened) == 2
        assert (tmp_path / ".model.lock").exists()
