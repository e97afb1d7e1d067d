"""A server under load that does not wait for it: half of what it can do, all of it, and three times as much.

    python benchmarks/serving.py [bag-of-words|lstm|minilm] [--seconds 30] [--together 1] [--loads 0.5 1 3] [--batching]

Capacity is what clients get answered who ask again as soon as they have their answer: 64 of them, or as many as the
queue has room for, since whoever is refused and asks again at once would only measure refusals.  Under load, arrivals
are a Poisson process drawn before the run, and a latency counts from the moment a request was meant to be sent, not
from when it was: else a server that stalls would slow down whoever measures it (coordinated omission).  How late
requests were sent is printed.  Every answer is compared with ``predict`` on the same text.  ``--batching`` compares
batches with one text at a time, 64 clients, alternating.
"""

import argparse
import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

import scansion
from scansion.server_limits import Limits

TEXTS = 200
CLIENTS = 64
WARM_SECONDS, CAPACITY_SECONDS = 1.0, 15.0
PATIENCE = 30.0
FAMILIES = {
    "bag-of-words": lambda: "bag-of-words",
    "lstm": lambda: "lstm",
    "minilm": lambda: scansion.Pretrained(mode="frozen"),
}
DATA = Path(__file__).parents[1] / "tests/data/polarity.csv"


def training_rows():
    """Texts and their labels."""
    with DATA.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


class Client:
    """One connection that is kept open, as plain bytes: what drives the load must cost less than what it drives."""

    def __init__(self, port, path="/predict"):
        self.port, self.path, self.reader, self.writer = port, path, None, None

    async def ask(self, body):
        """The status and the JSON of an answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(
            b"POST %s HTTP/1.1\r\nHost: [::1]\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (self.path.encode(), len(body), body)
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split(b" ", 2)[1]), await self.reader.readexactly(size)

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Server:
    """A server process."""

    def __init__(self, model, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scansion", "serve", f"m={model}", "--port", "0", *options],
            stderr=subprocess.PIPE, text=True,
        )
        self.port = int(self.process.stderr.readline().split("http://127.0.0.1:")[1].split(":")[0])
        while "ready" not in self.process.stderr.readline():
            pass

    def megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()


async def closed(port, bodies, seconds, clients=CLIENTS):
    """Answers a second that clients get who ask one request after the other, and what they were."""
    until, done, answers = time.monotonic() + seconds, 0, {}

    async def client(number):
        nonlocal done
        connection, at = Client(port), number
        while time.monotonic() < until:
            status, answer = await connection.ask(bodies[at % len(bodies)])
            if status == 200:
                done += 1
                answers[at % len(bodies)] = answer
            at += clients
        connection.close()

    await asyncio.gather(*map(client, range(clients)))
    return done / seconds, answers


async def opened(port, bodies, wanted, rate, seconds, seed):
    """An open loop: what came of each arrival."""
    draw = np.random.default_rng(seed)
    times = np.cumsum(draw.exponential(1 / rate, int(2 * rate * seconds) + 100))
    times = times[times < seconds]
    which = draw.integers(len(bodies), size=len(times))
    free, found, late = [], [], []

    async def one(at, row, begun):
        connection = free.pop() if free else Client(port)
        try:
            async with asyncio.timeout(PATIENCE):
                status, answer = await connection.ask(bodies[row])
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            connection.close()
            status, answer = 0, b""
        else:
            free.append(connection)
        sent = time.monotonic() - begun
        right = status != 200 or [each["prediction"] for each in json.loads(answer)["predictions"]] == wanted[row]
        found.append((status, sent - at, right))

    begun, tasks = time.monotonic(), set()
    for at, row in zip(times.tolist(), which.tolist(), strict=True):
        wait = begun + at - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        late.append(time.monotonic() - begun - at)
        task = asyncio.ensure_future(one(at, row, begun))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    for connection in free:
        connection.close()
    return found, np.array(late)


def told(name, found, late, capacity, seconds):
    """A line a load."""
    counts = Counter(status for status, _, _ in found)
    taken = np.array([latency for status, latency, _ in found if status == 200])
    refused = np.array([latency for status, latency, _ in found if status == 429])
    p50, p99 = np.quantile(taken, [0.5, 0.99]) * 1000
    parts = [
        f"{name:>5} {len(found):7,} arrivals, goodput {counts[200] / seconds / capacity:4.0%} of capacity",
        f"p50 {p50:6.1f} ms, p99 {p99:7.1f} ms",
        f"429: {counts[429]:,}" + (f", p50 {np.median(refused) * 1000:.1f} ms, p99 "
                                   f"{np.quantile(refused, 0.99) * 1000:.1f} ms" if len(refused) else ""),
        f"lost {sum(count for status, count in counts.items() if status not in (200, 429))}, "
        f"mixed {sum(not right for _, _, right in found)}",
        f"sent late p50 {np.median(late) * 1000:.2f} ms, p99 {np.quantile(late, 0.99) * 1000:.1f} ms",
    ]
    print("; ".join(parts), flush=True)


def load(model, bodies, wanted, seconds, loads):
    """The loads, as shares of capacity."""
    clients = min(CLIENTS, Limits().queue_texts // len(wanted[0]))
    server = Server(model)
    try:
        asyncio.run(closed(server.port, bodies, WARM_SECONDS, clients))
        capacity, _ = asyncio.run(closed(server.port, bodies, CAPACITY_SECONDS, clients))
        print(f"capacity {capacity:,.0f} requests a second, {server.megabytes():.0f} MB", flush=True)
        for share in loads:
            before = server.seconds()
            found, late = asyncio.run(opened(server.port, bodies, wanted, share * capacity, seconds, int(10 * share)))
            told(f"{share:g}x", found, late, capacity, seconds)
            print(f"      {server.megabytes():.0f} MB, {server.seconds() - before:.1f} processor seconds of the server",
                  flush=True)
    finally:
        server.end()


def batching(model, bodies):
    """Batches against one text at a time, alternating."""
    rates, answers = {"batched": [], "one at a time": []}, {}
    for _ in range(3):
        for name, options in (("batched", ()), ("one at a time", ("--batch-tokens", "1", "--batch-wait", "0"))):
            server = Server(model, *options)
            try:
                asyncio.run(closed(server.port, bodies, WARM_SECONDS))
                rate, answers[name] = asyncio.run(closed(server.port, bodies, CAPACITY_SECONDS))
                rates[name].append(rate)
            finally:
                server.end()
    both = answers["batched"].keys() & answers["one at a time"].keys()
    shares = [[list(json.loads(answers[name][row])["predictions"][0]["probabilities"].values()) for row in sorted(both)]
              for name in rates]
    apart = np.abs(np.subtract(*shares)).max()
    each = "; ".join(f"{name} {np.median(found):,.0f} a second" for name, found in rates.items())
    ratio = np.median(np.divide(rates["batched"], rates["one at a time"]))
    print(f"{CLIENTS} clients: {each}; ratio {ratio:.2f}; probabilities of {len(both)} texts at most {apart:.1e} apart")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="?", choices=FAMILIES, default="bag-of-words")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--together", type=int, default=1, help="texts of a request")
    parser.add_argument("--loads", type=float, nargs="+", default=[0.5, 1.0, 3.0])
    parser.add_argument("--batching", action="store_true")
    given = parser.parse_args()
    texts, labels = training_rows()
    model = scansion.DocumentClassifier(FAMILIES[given.family](), random_state=0, budget="60s").fit(texts, labels)
    several = [[texts[(row + other) % TEXTS] for other in range(given.together)] for row in range(TEXTS)]
    wanted = [model.predict(each).tolist() for each in several]
    bodies = [json.dumps({"texts": each, "probabilities": True}).encode() for each in several]
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model")
        if given.batching:
            batching(f"{folder}/model", bodies)
        else:
            load(f"{folder}/model", bodies, wanted, given.seconds, given.loads)


if __name__ == "__main__":
    main()
