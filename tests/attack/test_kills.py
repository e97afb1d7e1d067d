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
        other = [each for each in end["killed"] if each != end["whole"]]
        many = f"{processes} process" + "es" * (processes > 1)
        tried(f"kills of {end['kind']}, {many}: {end['who']}", end["kills"], len(other))
    assert len(ends) == len(kinds) * len(whose)
    for end in ends:
        assert end["kills"] >= kills
        assert set(end["killed"]) == {end["whole"]}, end


def test_a_run_killed_at_random_instants_ends_with_the_same_weights_and_metrics(tried):
    check(["lstm"], 1, ["all"], 3, tried)


@pytest.mark.long
@pytest.mark.parametrize("kind", killed.FAMILIES)
def test_a_run_killed_two_hundred_times_ends_with_the_same_weights_and_metrics(kind, tried):
    check([kind], 1, killed.WHO[1], 200, tried)


@pytest.mark.long
@pytest.mark.parametrize("kind", killed.FAMILIES)
def test_a_run_of_two_processes_each_of_which_is_killed_ends_with_the_same_weights_and_metrics(kind, tried):
    check([kind], 2, killed.WHO[2], 50, tried)
