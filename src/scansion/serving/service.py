"""The models of a server by name, whether it takes requests, and what is loaded anew while it does."""

import asyncio
import hmac
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from scansion.errors import ScansionError, did_you_mean
from scansion.server_limits import Limits
from scansion.serving.batching import Lane, Operation
from scansion.serving.refusals import NOT_FOUND, UNAVAILABLE, RefusalError, unprocessable
from scansion.serving.served_model import ServedModel, identity_of, loaded
from scansion.serving.server_metrics import Gauge, ServerMetrics

LOADING, READY, DRAINING = "loading", "ready", "draining"
SECONDS_BETWEEN_LOOKS = 1.0
LOAD_SECONDS = 5
"""After which to come back to a server that loads."""


def log(sentence: str) -> None:
    """A line on standard error; no text that was sent stands in any."""
    print(time.strftime("%Y-%m-%dT%H:%M:%S"), sentence, file=sys.stderr, flush=True)  # noqa: T201


class Service:
    """What every route asks."""

    def __init__(self, paths: Mapping[str, Path], limits: Limits, key: str | None = None) -> None:
        self.paths, self.limits, self.key = dict(paths), limits, key
        self.models: dict[str, ServedModel] = {}
        self.lanes: dict[str, Lane] = {}
        self.state, self.failed = LOADING, ScansionError("the models were not loaded")
        self.busy = 0
        """Requests under way."""
        self.metrics = ServerMetrics((
            Gauge("scansion_queue_texts", "Texts admitted and not answered.", "model",
                  lambda: {name: lane.texts for name, lane in self.lanes.items()}),
            Gauge("scansion_queue_seconds", "Seconds of work admitted, as reckoned.", "model",
                  lambda: {name: lane.seconds_ahead for name, lane in self.lanes.items()}),
            Gauge("scansion_ready", "1 while requests are taken.", "state", lambda: {self.state: self.ready * 1.0}),
        ))
        self.watcher: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether requests are taken."""
        return self.state == READY

    async def start(self) -> None:
        """Load every model, then take requests and look for models that were replaced. ScansionError if one fails."""
        self.lanes = {name: Lane(name, self.limits, self.metrics) for name in self.paths}
        for name, path in self.paths.items():
            self.models[name] = await self._loaded(name, path)
            model = self.models[name]
            log(f"{name}: {model.kind.about}, {model.family}, from {path}")
        for lane in self.lanes.values():
            lane.start()
        if self.state == LOADING:
            self.state = READY
        self.watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End; what is under way is given up."""
        self.state = DRAINING
        if self.watcher is not None:
            self.watcher.cancel()
        for lane in self.lanes.values():
            await lane.stop()

    async def drained(self) -> None:
        """Take no more, and wait until all that was taken is answered or has had its time."""
        self.state = DRAINING
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.drain_seconds):
                while self.busy:
                    await asyncio.sleep(0.01)

    def refusal(self) -> RefusalError | None:
        """What is refused where no model has room, whichever is meant: come back (429) when the first of them has.

        None where one has, and while the server loads or ends, which is said with another status.
        """
        soonest = None
        for lane in self.lanes.values() if self.ready else ():
            found = lane.refusal()
            if found is None:
                return None
            if soonest is None or (found.retry_after or 0) < (soonest.retry_after or 0):
                soonest = found
        return soonest

    def check_ready(self) -> None:
        """RefusalError (503) while models are loaded, and while the server ends."""
        if self.state != READY:
            doing = "loading its models" if self.state == LOADING else "shutting down"
            raise RefusalError(UNAVAILABLE, f"The server is {doing}. Come back later.", LOAD_SECONDS)

    def may_enter(self, given: str | None) -> bool:
        """Whether a key is the server's, compared in a time that does not depend on where they differ."""
        return self.key is None or hmac.compare_digest((given or "").encode(), self.key.encode())

    def model(self, name: str | None, able: str | None = None) -> ServedModel:
        """The model of that name; without a name the only one that is able to do what is asked.

        RefusalError (404) for a name there is not, (422) where a name is needed, or it is not able.
        """
        self.check_ready()
        if name is not None:
            if name not in self.models:
                raise RefusalError(NOT_FOUND, f"There is no model {name!r} here{did_you_mean(name, self.models)}")
            return self.models[name]
        fitting = [model for model in self.models.values() if able is None or able in model.does]
        if len(fitting) != 1:
            if not fitting:
                raise unprocessable(f"No model here can {able}.")
            names = ", ".join(repr(model.name) for model in fitting)
            raise unprocessable(f"Which model? There are {names}. Name it, as 'model' or in the path /models/NAME/….")
        return fitting[0]

    async def ask(self, model: ServedModel, operation: Operation, texts: Sequence[str]) -> list[Any]:
        """An answer a text, in their order. RefusalError beyond a limit (422), and for want of room (429)."""
        await self.check_texts(model, texts)
        return await self.lanes[model.name].ask(operation, texts)

    async def check_texts(self, model: ServedModel, texts: Sequence[str]) -> None:
        """RefusalError (422) for more texts than a request may hold, or for a text of too many tokens."""
        if not texts:
            raise unprocessable("There is no text. Give at least one.")
        if len(texts) > self.limits.texts:
            raise unprocessable(f"{len(texts):,} texts; a request may hold {self.limits.texts:,}. Send several.")
        # no token has less than a byte, so that only longer texts are counted
        long = [number for number, text in enumerate(texts) if len(text.encode()) > self.limits.tokens]
        if long:
            counts = await self.lanes[model.name].ask(model.coverage(), [texts[number] for number in long])
            for number, (_, tokens) in zip(long, counts, strict=True):
                if tokens > self.limits.tokens:
                    raise unprocessable(f"Text {number + 1} has {tokens:,} tokens; a text may have "
                                        f"{self.limits.tokens:,}. Send it in parts.")

    async def _loaded(self, name: str, path: Path) -> ServedModel:
        return await asyncio.to_thread(loaded, name, path)

    async def _watch(self) -> None:
        """Load what was replaced; what was admitted before is answered by the model it was admitted for."""
        refused: dict[str, Any] = {}
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            for name, path in self.paths.items():
                there = identity_of(path)
                if there is None or there in (self.models[name].identity, refused.get(name)):
                    continue
                try:
                    self.models[name] = await self._loaded(name, path)
                except Exception as error:
                    refused[name] = there
                    self.metrics.reloads.add(name, "failed")
                    log(f"{name}: not loaded anew, the model there was before goes on: {error}")
                else:
                    self.metrics.reloads.add(name, "loaded")
                    log(f"{name}: loaded anew from {path}")
