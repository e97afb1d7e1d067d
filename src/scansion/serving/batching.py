"""Texts of many requests read together: a queue for each model, batches by tokens, a bounded wait.

An answer does not depend on what its text was read with: every text has its own answer, and where a batch fails its
texts are read one by one, so that only the one at fault is refused.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from threading import Event
from typing import Any

from scansion.server_limits import Limits
from scansion.serving.refusals import TOO_MANY, RefusalError
from scansion.serving.server_metrics import ServerMetrics

BYTES_A_TOKEN = 4
WRITERS = 2
"""Texts that one model writes at a time."""
NEW_SHARE = 0.2
"""Of the newest batch in the mean of how fast a model is."""
SHORT_SECONDS = 0.01
"""A batch that takes less of the processor is read between two looks at the clients and not in a thread: two threads
that both need the interpreter wait for it at every step, and the one that reads does little else under load."""


@dataclass(frozen=True)
class Operation:
    """What is done with texts; those of one ``key`` are done together."""

    key: Hashable
    work: Callable[[list[str]], Sequence[Any]] = field(compare=False)
    cost: float = 1.0
    """Of a token, in tokens that are only read."""


@dataclass(eq=False)
class WaitingRequest:
    """Texts that came together and whose answers leave together."""

    operation: Operation
    answers: "asyncio.Future[list[Any]]"
    found: list[Any]
    missing: int
    arrived: float

    def put(self, place: int, answer: Any) -> None:
        """One answer, or the error that it came to, which is then that of them all."""
        if isinstance(answer, BaseException):
            self.answers.set_exception(answer)
            return
        self.found[place] = answer
        self.missing -= 1
        if not self.missing:
            self.answers.set_result(self.found)


@dataclass(eq=False)
class WaitingText:
    """One of the texts of a request, while it has no answer."""

    request: WaitingRequest
    place: int
    text: str
    size: float
    waits: bool = True


def size_of(text: str) -> float:
    """About how many tokens a text has."""
    return 1 + len(text.encode("utf-8", "replace")) / BYTES_A_TOKEN


class Lane:
    """One model's queue and the thread in which it reads."""

    def __init__(self, name: str, limits: Limits, metrics: ServerMetrics) -> None:
        self.name, self.limits, self.metrics = name, limits, metrics
        self.queue: deque[WaitingText] = deque()
        self.queued = 0.0
        """Tokens in the queue."""
        self.texts, self.tokens = 0, 0.0
        """Admitted and not answered yet."""
        self.seconds_a_token = 0.0
        self.work_a_token = 0.0
        """Processor seconds of the thread that reads."""
        self.thread = ThreadPoolExecutor(1, f"read-{name}")
        self.writers = ThreadPoolExecutor(WRITERS, f"write-{name}")
        self.changed = asyncio.Event()
        self.runner: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read, on the running event loop."""
        self.runner = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what waits is given up."""
        if self.runner is not None:
            self.runner.cancel()
            await asyncio.gather(self.runner, return_exceptions=True)
        self.thread.shutdown(wait=False, cancel_futures=True)
        self.writers.shutdown(wait=False, cancel_futures=True)

    @property
    def seconds_ahead(self) -> float:
        """How long what was admitted will take, as fast as the model has been."""
        return self.tokens * self.seconds_a_token

    @property
    def full(self) -> bool:
        """Whether so many texts wait, or for so long, that nothing more is admitted.

        How many texts a request has does not matter: it can be refused before it is read, and no large one waits for
        ever while small ones pass it.
        """
        return self.texts >= self.limits.queue_texts or self.seconds_ahead > self.limits.queue_seconds

    def refusal(self) -> RefusalError | None:
        """What says so (429) where the queue is full."""
        if not self.full:
            return None
        after = max(1, ceil(self.seconds_ahead))
        return RefusalError(
            TOO_MANY, f"{self.name} has as many texts to answer first as it admits. Come back in {after} s.", after
        )

    def admit(self) -> None:
        """RefusalError (429) at once where the queue is full."""
        if (refusal := self.refusal()) is not None:
            raise refusal

    async def ask(self, operation: Operation, texts: Sequence[str]) -> list[Any]:
        """An answer a text. RefusalError at once if there is no room; what is cancelled is not read any more."""
        self.admit()
        answers = asyncio.get_running_loop().create_future()
        request = WaitingRequest(operation, answers, [None] * len(texts), len(texts), time.monotonic())
        jobs = [
            WaitingText(request, place, text, size_of(text) * operation.cost) for place, text in enumerate(texts)
        ]
        for job in jobs:
            self._enter(job.size)
        self.queue.extend(jobs)
        self.queued += sum(job.size for job in jobs)
        self.changed.set()
        try:
            return await answers
        finally:
            answers.cancel()
            for job in jobs:
                self._leaves(job)

    async def write(self, begin: Callable[[], Iterator[Any]], tokens: float) -> AsyncGenerator[Any, None]:
        """What an iterator gives, as it comes, in a thread of its own; it is ended when nobody listens any more.

        Whoever calls it has asked :meth:`admit` before, so that a refusal comes before the first word.
        """
        self._enter(tokens)
        given: asyncio.Queue[Any] = asyncio.Queue()
        loop, left, end = asyncio.get_running_loop(), Event(), object()

        def tell(item: Any) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(given.put_nowait, item)

        def run() -> None:
            try:
                for item in begin():
                    if left.is_set():
                        return
                    tell(item)
                tell(end)
            except BaseException as error:
                tell(error)

        started = self.writers.submit(run)
        try:
            while (item := await given.get()) is not end:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            left.set()
            started.cancel()
            self._leave(tokens)

    def _enter(self, size: float) -> None:
        self.texts, self.tokens = self.texts + 1, self.tokens + size

    def _leaves(self, job: WaitingText) -> None:
        if job.waits:
            job.waits = False
            self._leave(job.size)

    def _leave(self, size: float) -> None:
        self.texts, self.tokens = self.texts - 1, max(0.0, self.tokens - size) if self.texts > 1 else 0.0

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.changed.wait()
            await self._company()
            batch = self._taken()
            if not batch:
                self.changed.clear()
                continue
            begun = time.monotonic()
            if self._is_short(batch):
                answers, work = timed(batch)
                await asyncio.sleep(0)
            else:
                answers, work = await loop.run_in_executor(self.thread, timed, batch)
            self._measured(batch, time.monotonic() - begun, work)
            for job, answer in zip(batch, answers, strict=True):
                self._leaves(job)
                if not job.request.answers.done():  # else its client has left, or another text was at fault
                    job.request.put(job.place, answer)

    async def _company(self) -> None:
        """Wait until there is enough to read together, or the first has waited long enough."""
        while self.queue and self.queued < self.limits.batch_tokens:
            left = self.queue[0].request.arrived + self.limits.batch_wait - time.monotonic()
            if left <= 0:
                return
            self.changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self.changed.wait()
            except TimeoutError:
                self.changed.set()
                return

    def _taken(self) -> list[WaitingText]:
        """The first that waits, and others of its kind as far as they fit."""
        taken: list[WaitingText] = []
        others: deque[WaitingText] = deque()
        tokens = 0.0
        while self.queue:
            job = self.queue.popleft()
            self.queued -= job.size
            if job.request.answers.done():
                continue
            if taken and job.request.operation != taken[0].request.operation:
                others.append(job)
                continue
            if taken and tokens + job.size > self.limits.batch_tokens:
                others.append(job)
                break
            taken.append(job)
            tokens += job.size
        self.queue.extendleft(reversed(others))
        self.queued += sum(job.size for job in others)
        self.queued = self.queued if self.queue else 0.0  # rounding does not add up
        return taken

    def _is_short(self, batch: list[WaitingText]) -> bool:
        size = sum(job.size for job in batch)
        return batch[0].request.operation.cost == 1 and 0 < self.work_a_token * size < SHORT_SECONDS

    def _measured(self, batch: list[WaitingText], seconds: float, work: float) -> None:
        size = sum(job.size for job in batch)
        share = NEW_SHARE if self.seconds_a_token else 1.0
        self.seconds_a_token += share * (seconds / size - self.seconds_a_token)
        self.work_a_token += share * (work / size - self.work_a_token)
        self.metrics.batch_texts.observe(len(batch), self.name)
        self.metrics.batch_seconds.observe(seconds, self.name)


def timed(batch: Sequence[WaitingText]) -> tuple[list[Any], float]:
    """The answers, and the processor seconds that they took in this thread."""
    begun = time.thread_time()
    return answered(batch), time.thread_time() - begun


def answered(batch: Sequence[WaitingText]) -> list[Any]:
    """An answer a job, or the error it came to; a batch that fails is done one by one."""
    work, texts = batch[0].request.operation.work, [job.text for job in batch]
    try:
        found = list(work(texts))
        if len(found) != len(texts):
            raise RuntimeError(f"{len(texts)} texts came to {len(found)} answers")
        return found
    except Exception as error:
        if len(batch) == 1:
            return [error]
    return [answered([job])[0] for job in batch]
