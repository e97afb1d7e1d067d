"""Pretrained folders made to harm: read or refused in a sentence, in 2 s and 1 GB, and nothing in them runs."""

import json
import os
import subprocess
import sys

import pytest

import hostile_pretrained

MOST_SECONDS, MOST_MEBIBYTES = 2.0, 1024


def check(every, folder, tried, most_seconds=MOST_SECONDS, first=0):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1",
                   "TOKENIZERS_PARALLELISM": "false"}
    command = [sys.executable, hostile_pretrained.__file__, str(folder), str(every), str(first)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    broken = [
        each for each in ends
        if each[1].startswith("fault") or each[2] > most_seconds or each[3] > MOST_MEBIBYTES
    ]
    tried("hostile pretrained folders and files", len(ends), len(broken))
    assert not broken
    for _, told, _, _ in ends:
        assert told.isprintable()
        assert told == "read" or (told.endswith((".", "?")) and len(told) < 700), told
    return ends


def test_some_hostile_folders_are_read_or_refused(tmp_path, tried):
    ends = check(66, tmp_path, tried, most_seconds=2 * MOST_SECONDS)  # other tests take the caches
    assert len(ends) >= 10


@pytest.mark.long
@pytest.mark.parametrize("half", [0, 1])
def test_every_hostile_folder_is_read_or_refused(half, tmp_path, tried):
    ends = check(2, tmp_path, tried, first=half)
    assert len(ends) >= 250
    assert sum(told != "read" for _, told, _, _ in ends) >= 200
