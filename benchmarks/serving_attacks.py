"""A server among clients that mean no good or are merely slow: does it go on, and what does that cost it?

    python benchmarks/serving_attacks.py [--seconds 60]

A bag-of-words model of ``tests/data/polarity.csv`` is served on 127.0.0.1.  Told are the seconds from the start of the
process to the first 200 of ``/ready``; then, for each attack, how long it lasted, what came back, and what an ordinary
request took while it went on and after it (the median and the slowest); and the memory before and after a load of so
many seconds.
"""

import argparse
import csv
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import scansion

DATA = Path(__file__).parents[1] / "tests/data/polarity.csv"
GARBAGE, GIGABYTE, SLOW, HALF_OPEN = 10_000, 1 << 30, 200, 1_000
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
ASKED = json.dumps({"texts": ["a quiet marvel of a film"]}).encode()


def started(folder, port=0):
    """A server process, its port, and the seconds until it was ready."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "scansion", "serve", str(folder), "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    line = process.stderr.readline()
    threading.Thread(target=process.stderr.read, daemon=True).start()
    port = int(line.split("http://")[1].split(": ")[0].rpartition(":")[2])
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                return process, port, time.monotonic() - begun
        except OSError:
            time.sleep(0.01)


def connected(port):
    """A connection that is given up after a while."""
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def asked(port):
    """The seconds of an ordinary request; it must be answered."""
    begun = time.monotonic()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/predict", ASKED, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        json.load(answer)["predictions"]
    return time.monotonic() - begun


def megabytes(process):
    """What of its memory is in use."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def meanwhile(port, title, process):
    """Ask ten ordinary requests a second while something goes on, and some after it; a line about both."""
    during, over, lines = [], threading.Event(), Counter()

    def ask():
        while not over.wait(0.1):
            during.append(asked(port))

    before, begun = megabytes(process), time.monotonic()
    asking = threading.Thread(target=ask)
    asking.start()
    yield lines
    seconds = time.monotonic() - begun
    over.set()
    asking.join()
    after = [asked(port) for _ in range(20)]
    shown = [f"{1000 * statistics.median(each):.0f}, {1000 * max(each):.0f}" for each in (during or [0], after)]
    came = ", ".join(f"{count:,} × {what}" for what, count in lines.most_common(4))
    print(f"| {title} | {seconds:.0f} | {came} | {shown[0]} | {shown[1]} | {before:.0f}, {megabytes(process):.0f} |",
          flush=True)


def first_line(connection):
    """What came back first, if anything."""
    try:
        found = connection.recv(4_096)
    except (ConnectionError, TimeoutError) as error:
        return type(error).__name__
    return found.split(b"\r\n")[0][9:12].decode() if found else "closed"


def garbage(port, lines):
    """Bytes at random, and broken requests."""
    draw = random.Random(0)
    starts = (b"", b"POST /predict HTTP/1.1\r\n", HEAD + b"Content-Length: 9\r\n\r\n", b"GET /", b"\x16\x03\x01", HEAD)
    for _ in range(GARBAGE):
        with connected(port) as connection:
            try:
                connection.sendall(draw.choice(starts) + draw.randbytes(draw.randrange(1, 200)) + b"\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                lines[first_line(connection)] += 1
            except OSError as error:
                lines[type(error).__name__] += 1


def bodies(port, lines):
    """A gigabyte: announced, and in chunks that announce nothing."""
    block = b"x" * (1 << 20)
    for head, wrapped in (
        (b"Content-Length: %d\r\n\r\n" % GIGABYTE, block),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n" % (len(block), block)),
    ):
        with connected(port) as connection:
            sent = 0
            try:
                connection.sendall(HEAD + head)
                while sent < GIGABYTE:
                    connection.sendall(wrapped)
                    sent += len(block)
            except OSError:
                pass
            lines[f"{first_line(connection)} after {sent >> 20} MiB"] += 1


def slow(port, lines):
    """Heads of a byte a second."""
    clients = [connected(port) for _ in range(SLOW)]
    left, head = clients, HEAD + b"X: " + b"y" * 60
    for place in range(20):
        still = []
        for client in left:
            try:
                client.sendall(head[place : place + 1])
                still.append(client)
            except OSError:
                lines["closed"] += 1
        left = still
        time.sleep(1)
    lines["still open after 20 s"] += len(left)
    for client in clients:
        client.close()


def half_open(port, lines):
    """Connections on which nothing comes, and whose other side never reads."""
    clients = [connected(port) for _ in range(HALF_OPEN)]
    time.sleep(12)
    for client in clients:
        client.setblocking(False)
        try:
            lines["closed by the server" if client.recv(1) == b"" else "answered"] += 1
        except BlockingIOError:
            lines["still open"] += 1
        except OSError as error:
            lines[type(error).__name__] += 1
        client.close()


def loaded(port, process, seconds):
    """Memory over a load of four clients."""
    over, counts, marks = time.monotonic() + seconds, Counter(), []

    def ask():
        while time.monotonic() < over:
            asked(port)
            counts["answered"] += 1

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    while time.monotonic() < over:
        marks.append(megabytes(process))
        time.sleep(seconds / 6)
    for client in clients:
        client.join()
    print(f"\n{seconds:.0f} s of four clients: {counts['answered']:,} answered; MB every {seconds / 6:.0f} s:",
          *(f"{mark:.0f}" for mark in [*marks, megabytes(process)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="of the load; 60")
    seconds = parser.parse_args().seconds
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "bag"
        model = scansion.DocumentClassifier("bag-of-words")
        model.fit([row["text"] for row in rows], [row["label"] for row in rows]).save(folder)
        starts = []
        for _ in range(3):
            process, port, ready = started(folder)
            starts.append(ready)
            process.send_signal(signal.SIGTERM)
            process.wait()
        print("start to ready, s:", *(f"{each:.2f}" for each in starts), "\n")
        process, port, _ = started(folder)
        print("| attack | s | what came back | ordinary request meanwhile, ms | after | MB before, after |")
        print("|---|---:|---|---|---|---|")
        for title, attack in (
            (f"{GARBAGE:,} requests of garbage", garbage), ("two bodies of 1 GiB", bodies),
            (f"{SLOW} heads of a byte a second", slow), (f"{HALF_OPEN:,} connections that say nothing", half_open),
        ):
            with meanwhile(port, title, process) as lines:
                attack(port, lines)
        loaded(port, process, seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        again, port, ready = started(folder, port)
        print(f"\nkilled with SIGKILL, started again on the same port: ready after {ready:.2f} s, "
              f"answered in {1000 * asked(port):.0f} ms")
        again.send_signal(signal.SIGTERM)
        print("ended with", again.wait())


if __name__ == "__main__":
    main()
