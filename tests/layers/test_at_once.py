"""What is worked out at once gives the very numbers, forwards and backwards, that come one after the other."""

import os
import threading

import pytest
import torch
from torch import nn

from scansion.layers import at_once as module
from scansion.layers.at_once import at_once, threads_to_spare
from scansion.layers.bidirectional import Bidirectional
from scansion.learning.thread_pool import on_threads


def both_ways(kind: type[nn.RNNBase], spare: int) -> list[torch.Tensor]:
    """States and all gradients of a batch whose rows have lengths of their own."""
    torch.manual_seed(0)
    layer = Bidirectional(kind(6, 4, batch_first=True), kind(6, 4, batch_first=True))
    vectors = torch.randn(3, 5, 6, requires_grad=True)
    mask = torch.arange(5) < torch.tensor([[5], [2], [4]])
    with threads_to_spare(spare):
        states = layer(vectors, mask)
        (states * mask[..., None]).square().sum().backward()
    return [states, vectors.grad, *(each.grad for each in layer.parameters())]


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_two_directions_at_once_are_to_the_bit_what_they_are_one_after_the_other(kind):
    assert all(torch.equal(one, other) for one, other in zip(both_ways(kind, 1), both_ways(kind, 2), strict=True))


def test_gradients_are_added_to_those_that_are_there():
    layer = nn.LSTM(6, 4, batch_first=True)
    vectors = torch.randn(2, 3, 6)
    for spare in (1, 2):
        with threads_to_spare(spare):
            sum(each.sum() for each in at_once(layer, vectors, layer, 2 * vectors)).backward()
        found, layer.weight_ih_l0.grad = layer.weight_ih_l0.grad, None
        wanted = found if spare == 1 else wanted  # noqa: F821
    torch.testing.assert_close(found, wanted)


def test_a_layer_that_is_not_trained_passes_gradients_on():
    layer = nn.LSTM(6, 4, batch_first=True).requires_grad_(False)
    vectors = torch.randn(2, 3, 6, requires_grad=True)
    with threads_to_spare(2):
        one, _ = at_once(layer, vectors, layer, torch.ones(2, 3, 6))
    one.sum().backward()
    wanted, = torch.autograd.grad(layer(vectors)[0].sum(), vectors)
    assert torch.equal(vectors.grad, wanted)
    assert layer.weight_ih_l0.grad is None


def test_without_gradients_nothing_is_kept_for_them():
    layer = nn.LSTM(6, 4, batch_first=True)
    with threads_to_spare(2), torch.inference_mode():
        one, other = at_once(layer, torch.ones(1, 2, 6), layer, torch.ones(1, 2, 6))
    assert torch.equal(one, other)
    assert not one.requires_grad


def test_threads_that_steps_do_not_use_are_spared_for_it(monkeypatch):
    monkeypatch.setattr("scansion.learning.thread_pool.cores", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with on_threads(1):
            assert module._SPARE.threads == 2
        with on_threads(2):
            assert module._SPARE.threads == 1
        assert module._SPARE.threads == 1
    finally:
        torch.set_num_threads(before)


def test_an_error_on_the_other_thread_reaches_who_asked():
    class Broken(nn.Module):
        def forward(self, vectors):
            raise ValueError(threading.current_thread() is threading.main_thread())

    with threads_to_spare(2), pytest.raises(ValueError, match="False"):
        at_once(nn.LSTM(6, 4, batch_first=True), torch.ones(1, 2, 6), Broken(), torch.ones(1, 2, 6))


def test_a_forked_process_has_a_thread_of_its_own():
    both_ways(nn.LSTM, 2)
    child = os.fork()
    if not child:
        os._exit(0 if torch.isfinite(both_ways(nn.RNN, 2)[0]).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_what_one_fit_has_to_spare_is_not_another_ones():
    with threads_to_spare(2):
        seen = []
        other = threading.Thread(target=lambda: seen.append(module._SPARE.threads))
        other.start()
        other.join()
    assert seen == [1]
