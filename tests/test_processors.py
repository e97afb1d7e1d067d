"""What of a machine a process may use: no more than a container pays for, and only as many threads as have work."""

import os

import pytest
import torch

from scansion.learning.thread_pool import on_threads, threads_for
from scansion.processors import quota


@pytest.mark.parametrize(
    ("granted", "processors"), [("100000 100000", 1.0), ("50000 100000", 0.5), ("max 100000", None)]
)
def test_a_quota_of_a_control_group_counts_and_so_does_that_of_an_outer_one(tmp_path, granted, processors):
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    (tmp_path / "outer" / "cpu.max").write_text(granted)
    (tmp_path / "outer" / "inner" / "cpu.max").write_text("max 100000")
    (tmp_path / "group").write_text("0::/outer/inner\n")
    there = float(os.cpu_count())
    assert quota(tmp_path / "group", tmp_path) == (there if processors is None else min(there, processors))


def test_where_there_are_no_control_groups_all_processors_count(tmp_path):
    assert quota(tmp_path / "missing", tmp_path) == os.cpu_count()


def test_small_products_have_one_thread_and_none_has_more_than_torch_has():
    assert threads_for(100_000, 300) == 1
    assert threads_for(10**9, 10**6) <= torch.get_num_threads()


def test_after_the_block_torch_has_as_many_threads_as_before():
    before = torch.get_num_threads()
    with on_threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
    with on_threads(None):
        assert torch.get_num_threads() == before
