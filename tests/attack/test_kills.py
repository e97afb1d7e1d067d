"""A run killed by SIGKILL at random instants, again and again, ends with the weights and metrics of a whole one."""

import json
import os
import subprocess
import sys

import pytest

import killed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm processes are forked as Linux forks them")


def check(kinds, processes, whose, kills, tried):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, killed.__file__, ",".join(kinds), str(processes), ",".join(whose), str(kills)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    for end in ends:
        other = [each for each in end["killed"] if each != end["whole"]] + end["wrong"]
        many = f"{processes} process" + "es" * (processes > 1)
        tried(f"kills of {end['kind']}, {many}: {end['who']}", end["kills"], len(other))
        tried("runs that were killed, compared with whole ones in weights and metrics", len(end["killed"]))
    assert len(ends) == len(kinds) * len(whose)
    for end in ends:
        assert end["kills"] >= kills
        assert set(end["killed"]) == {end["whole"]}, end
        assert not end["wrong"]


def test_a_run_killed_at_random_instants_ends_with_the_same_weights_and_metrics(tried):
    check(["lstm"], 1, ["all"], 3, tried)


@pytest.mark.long
@pytest.mark.parametrize("kind", killed.FAMILIES)
@pytest.mark.parametrize(("processes", "whose", "kills"), [
    (1, ["all"], 80), (2, ["all", "parent"], 40), (2, ["worker 0", "worker 1"], 20),
])  # fmt: skip
def test_a_run_killed_two_hundred_times_ends_with_the_same_weights_and_metrics(kind, processes, whose, kills, tried):
    check([kind], processes, whose, kills, tried)
