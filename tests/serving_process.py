"""A server process as tests start and ask it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

TEXTS = [f"{'a quiet marvel' if i % 2 else 'a loud failure'} number {i % 5}" for i in range(40)]
LABELS = ["good" if i % 2 else "bad" for i in range(40)]


@contextmanager
def serving(folders: dict[str, Path], *options: object, port: int = 0):
    """A server process, ready: its address and the process; it must end with 0 unless it was killed."""
    words = [f"{name}={folder}" for name, folder in folders.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "scansion", "serve", *words, *map(str, options)],
        stderr=subprocess.PIPE, text=True, env=os.environ | {"SCANSION_PORT": str(port)},
    )
    try:
        first = process.stderr.readline()
        address = next((word.rstrip(":") for word in first.split() if word.startswith("http")), None)
        assert address, first
        wait_until_ready(address)
        yield address, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.log = process.stderr.read()
        process.stderr.close()
        assert process.wait(20) in (0, -signal.SIGKILL), process.log


def wait_until_ready(address: str) -> None:
    for _ in range(600):
        if status_of(f"{address}/ready") == 200:
            return
        time.sleep(0.02)
    raise AssertionError("the server does not get ready")


def status_of(url: str, **options) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def posted(address: str, path: str, body: object) -> object:
    request = urllib.request.Request(
        address + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def finished(work: Coroutine) -> object:
    """What it comes to, in a thread of its own: in this one the browser of other tests may have its event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
