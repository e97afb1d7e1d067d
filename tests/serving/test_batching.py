"""The queue of one model: what is read together, what is refused, and what becomes of texts nobody waits for."""

import asyncio
import threading
import time

import pytest

from scansion.errors import DataError
from scansion.server_limits import Limits
from scansion.serving.batching import Lane, Operation
from scansion.serving.refusals import RefusalError
from scansion.serving.server_metrics import ServerMetrics
from serving_process import finished


def laned(limits=None):
    """Decorates a test that gets a lane, on an event loop of its own."""
    def decorate(test):
        def run():
            async def inside():
                lane = Lane("model", limits or Limits(), ServerMetrics())
                lane.start()
                try:
                    await asyncio.wait_for(test(lane), 10)
                finally:
                    await lane.stop()
            finished(inside())
        run.__name__ = test.__name__
        return run
    return decorate


class Reading:
    """Answers in capitals; remembers what was read together, and reads nothing while it is closed."""

    def __init__(self, key="capitals"):
        self.batches, self.open = [], threading.Event()
        self.open.set()
        self.operation = Operation(key, self)

    def __call__(self, texts):
        assert self.open.wait(10)
        self.batches.append(list(texts))
        if "bad" in texts:
            raise DataError("a bad text")
        return [text.upper() for text in texts]


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


@laned()
async def test_texts_that_wait_are_read_together_and_each_gets_its_own_answer(lane):
    reading = Reading()
    reading.open.clear()
    first = asyncio.ensure_future(lane.ask(reading.operation, ["first"]))
    await asyncio.sleep(0.02)
    others = [asyncio.ensure_future(lane.ask(reading.operation, [f"a{i}", f"b{i}"])) for i in range(20)]
    await asyncio.sleep(0)
    reading.open.set()
    assert await first == ["FIRST"]
    assert await asyncio.gather(*others) == [[f"A{i}", f"B{i}"] for i in range(20)]
    assert [len(batch) for batch in reading.batches] == [1, 40]
    assert (lane.texts, lane.tokens) == (0, 0)


@laned(Limits(batch_tokens=100))
async def test_a_batch_holds_its_tokens_and_a_longer_text_is_read_alone(lane):
    reading = Reading()
    texts = ["x" * 100, "y" * 100, "z" * 100, "w" * 4_000, "v"]
    assert await lane.ask(reading.operation, texts) == [text.upper() for text in texts]
    assert [len(batch) for batch in reading.batches] == [3, 1, 1]


@laned()
async def test_what_is_short_is_read_where_clients_are_answered_once_that_is_known(lane):
    threads = []
    short = Operation("short", lambda texts: threads.append(threading.current_thread()) or texts)
    dear = Operation("dear", short.work, 30.0)
    for operation in (short, short, dear):
        assert await lane.ask(operation, ["x"]) == ["x"]
    lane.work_a_token = 1.0
    await lane.ask(short, ["x"])
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [False, True, False, False]


@laned()
async def test_different_questions_are_not_read_together(lane):
    one, other = Reading("one"), Reading("other")
    await asyncio.gather(*(lane.ask(reading.operation, ["x"]) for reading in (one, other, one, other)))
    assert one.batches == other.batches == [["x", "x"]]


@laned(Limits(batch_wait=0.05))
async def test_a_text_waits_for_others_no_longer_than_is_said(lane):
    begun = time.monotonic()
    await lane.ask(Reading().operation, ["x"])
    assert 0.05 <= time.monotonic() - begun < 1


@laned()
async def test_a_text_at_fault_is_refused_alone(lane):
    reading = Reading()
    found = await asyncio.gather(
        *(lane.ask(reading.operation, [text]) for text in ("a", "bad", "c")), return_exceptions=True
    )
    assert found[0] == ["A"]
    assert found[2] == ["C"]
    assert isinstance(found[1], DataError)


@laned(Limits(queue_texts=4, texts=4))
async def test_beyond_the_queue_a_text_is_refused_at_once_and_told_when_to_come_back(lane):
    reading = Reading()
    reading.open.clear()
    kept = [asyncio.ensure_future(lane.ask(reading.operation, ["x"])) for _ in range(4)]
    await asyncio.sleep(0)
    lane.seconds_a_token = 2.5
    with pytest.raises(RefusalError) as refused:
        await lane.ask(reading.operation, ["y"])
    assert not any(each.done() for each in kept)
    assert (refused.value.status, refused.value.retry_after) == (429, 13)  # 4 texts of 1.25 tokens, 2.5 s each
    reading.open.set()
    assert await asyncio.gather(*kept) == [["X"]] * 4
    assert await lane.ask(reading.operation, ["y"]) == ["Y"]


@laned(Limits(queue_texts=4))
async def test_a_request_is_admitted_whole_while_there_is_room_and_of_any_size(lane):
    reading = Reading()
    reading.open.clear()
    texts = ["x"] * 9
    first = asyncio.ensure_future(lane.ask(reading.operation, texts[:3]))
    second = asyncio.ensure_future(lane.ask(reading.operation, texts))
    await asyncio.sleep(0)
    assert lane.full
    assert lane.texts == 12
    second.cancel()
    await until(lambda: lane.texts == 3)
    reading.open.set()
    assert await first == ["X"] * 3
    assert (lane.texts, lane.tokens) == (0, 0)


@laned(Limits(queue_seconds=1))
async def test_a_text_that_would_wait_too_long_is_refused_though_few_wait(lane):
    reading = Reading()
    reading.open.clear()
    first = asyncio.ensure_future(lane.ask(reading.operation, ["x"]))
    await asyncio.sleep(0)
    lane.seconds_a_token = 1.0
    with pytest.raises(RefusalError, match="Come back in 2 s"):
        await lane.ask(reading.operation, ["y"])
    reading.open.set()
    await first


@laned()
async def test_what_nobody_waits_for_is_not_read_and_takes_no_room(lane):
    reading = Reading()
    reading.open.clear()
    first = asyncio.ensure_future(lane.ask(reading.operation, ["first"]))
    await asyncio.sleep(0.02)
    left = [asyncio.ensure_future(lane.ask(reading.operation, [f"gone {i}"])) for i in range(5)]
    stays = asyncio.ensure_future(lane.ask(reading.operation, ["stays"]))
    await asyncio.sleep(0)
    for each in left:
        each.cancel()
    await until(lambda: lane.texts == 2)
    reading.open.set()
    assert await first == ["FIRST"]
    assert await stays == ["STAYS"]
    assert reading.batches == [["first"], ["stays"]]


@laned()
async def test_writing_ends_when_nobody_listens(lane):
    ended, told = threading.Event(), []

    def words():
        try:
            for number in range(1_000_000):
                told.append(number)
                time.sleep(0.001)
                yield number
        finally:
            ended.set()

    writing = lane.write(words, 10)
    assert [await anext(writing), await anext(writing)] == [0, 1]
    await writing.aclose()
    await until(ended.is_set)
    assert len(told) < 1_000
    assert lane.texts == 0


@laned()
async def test_what_breaks_while_writing_is_told(lane):
    def words():
        yield "one"
        raise DataError("no more")

    writing = lane.write(words, 10)
    assert await anext(writing) == "one"
    with pytest.raises(DataError, match="no more"):
        await anext(writing)
    assert lane.texts == 0
