"""Folders for temporary files: private, and gone with their owner or at the next start."""

import os
import signal
import subprocess
import sys

import pytest

from scansion.storage import scratch
from scansion.storage.scratch import scratch_folder


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", None)
    yield tmp_path
    scratch.tempfile.tempdir = None


def test_a_folder_is_private_and_goes_with_the_block(place):
    with scratch_folder("run") as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "texts").write_text("mine")
    assert not list(place.iterdir())


def test_what_a_killed_process_has_left_goes_at_the_next_start_and_nothing_else(place):
    code = (
        "import os, signal\nfrom scansion.storage.scratch import scratch_folder\n"
        "with scratch_folder('comparison') as folder:\n    (folder / 'texts').write_text('mine')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = place.iterdir()
    assert (left / "texts").exists()
    others = [place / name for name in ("scansion-comparison", "scansion-mine-abc", "comparison-abc", "scansion-run-A")]
    for other in others:
        other.mkdir()
    with scratch_folder("run") as mine, scratch_folder("run") as second:
        assert not left.exists()
        assert mine.exists()
        assert second.exists()
    assert sorted(place.iterdir()) == sorted(others)


def test_a_folder_that_was_taken_for_abandoned_before_it_was_locked_is_made_anew(place, monkeypatch):
    real, made = scratch.tempfile.mkdtemp, []

    def mkdtemp(**options):
        made.append(real(**options))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(scratch.tempfile, "mkdtemp", mkdtemp)
    with scratch_folder("run") as folder:
        assert folder.is_dir()
        assert len(made) == 2
