"""Work that is done ahead, in threads where there is room for them."""

import threading

from scansion.memory import ahead


def test_work_goes_ahead_in_order_and_a_single_piece_is_done_in_this_thread():
    here, made = threading.current_thread(), []

    def work(number):
        made.append(threading.current_thread() is here)
        return number * number

    assert list(ahead(work, iter(range(50)), 3)) == [number * number for number in range(50)]
    assert not any(made)
    assert list(ahead(work, [7], 3)) == [49]
    assert made[-1]
    assert list(ahead(work, [], 3)) == []
