"""The server beside others, same weights, same load: 64 clients who ask again as soon as they have their answer.

    python benchmarks/serving_peers.py [--pairs 2] [--seconds 8]

MiniLM frozen, one text a request at ``/embed``: ``scansion serve`` on uvicorn, its application on granian (where it is
installed), and sentence-transformers behind a plain starlette.  Bag-of-words at ``/predict``: uvicorn and granian.
"""

import argparse
import asyncio
import importlib.util
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from environment import HERE, python_of

import scansion
from scansion.storage.pretrained_source import find_pretrained
from serving import CLIENTS, FAMILIES, Client, training_rows

WARM_SECONDS, PATIENCE = 1.0, 60.0
WAIT = 0.05
"""Of a client that was refused."""
OK, TOO_MANY = 200, 429


async def status(port, path, body):
    """Of one request; None where nobody answers yet."""
    try:
        return (await Client(port, path).ask(body))[0]
    except (OSError, asyncio.IncompleteReadError):
        return None


async def asked(port, path, bodies, seconds):
    """Answers a second; an answer that is none is an error."""
    until, done = time.monotonic() + seconds, 0

    async def client(number):
        nonlocal done
        connection, at = Client(port, path), number
        while time.monotonic() < until:
            found, _ = await connection.ask(bodies[at % len(bodies)])
            assert found in (OK, TOO_MANY), found
            if found == OK:
                done, at = done + 1, at + CLIENTS
            else:
                await asyncio.sleep(WAIT)
        connection.close()

    await asyncio.gather(*map(client, range(CLIENTS)))
    return done / seconds


def rate(command, path, bodies, seconds):
    """Answers a second of a server that is started for it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while asyncio.run(status(port, path, bodies[0])) != OK:
            assert time.monotonic() < until, "the server does not get ready"
            time.sleep(0.1)
        asyncio.run(asked(port, path, bodies, WARM_SECONDS))
        return asyncio.run(asked(port, path, bodies, seconds))
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8)
    given = parser.parse_args()
    texts, labels = training_rows()
    embedded = [json.dumps({"inputs": [text]}).encode() for text in texts]
    predicted = [json.dumps({"texts": [text]}).encode() for text in texts]
    with tempfile.TemporaryDirectory() as place:
        cases = {}
        for family in ("minilm", "bag-of-words"):
            folder = f"{place}/{family}"
            scansion.DocumentClassifier(FAMILIES[family](), random_state=0).fit(texts, labels).save(folder)
            path, bodies = ("/embed", embedded) if family == "minilm" else ("/predict", predicted)
            own = [sys.executable, "-m", "scansion", "serve", f"m={folder}", "--port"]
            cases[family, "uvicorn"] = own, path, bodies
            if importlib.util.find_spec("granian"):
                cases[family, "granian"] = [sys.executable, HERE / "peers/granian_server.py", folder], path, bodies
        plain = [python_of("sentence-transformers"), HERE / "peers/sentence_transformers_server.py",
                 find_pretrained("")]
        cases["minilm", "sentence-transformers"] = plain, "/embed", embedded
        rates = {case: [] for case in cases}
        for _ in range(given.pairs):
            for case, (command, path, bodies) in cases.items():
                rates[case].append(rate(list(map(str, command)), path, bodies, given.seconds))
        for (family, server), found in rates.items():
            each = ", ".join(f"{one:,.0f}" for one in found)
            print(f"{family} on {server}: {statistics.median(found):,.0f} requests a second ({each})", flush=True)


if __name__ == "__main__":
    main()
