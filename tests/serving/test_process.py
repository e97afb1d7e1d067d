"""A server as a process: signals, kills, and clients that mean no good or are merely slow."""

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlparse

import pytest

from serving_process import posted, serving, status_of

GARBAGE = 400
ASKED = {"model": "bag", "texts": ["a quiet failure"]}


@pytest.fixture(scope="module")
def two(folders):
    return {name: folders[name] for name in ("bag", "writer")}


@pytest.fixture(scope="module")
def address(two, warm_processes):
    with serving(two, "--client-seconds", 0.5, "--connections", 60, "--max-body", 0.1) as (address, _):
        yield address


def connected(address):
    parts = urlparse(address)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def everything(connection):
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_sigterm_answers_what_was_admitted_and_ends_with_0(two, warm_processes):
    with serving(two) as (address, process):
        found = []
        prompt = {"model": "writer", "prompt": "to be", "max_tokens": 300, "temperature": 1, "seed": 1}
        asking = threading.Thread(target=lambda: found.append(posted(address, "/v1/completions", prompt)))
        asking.start()
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        asking.join(20)
        assert process.wait(20) == 0
    assert found
    assert found[0]["usage"]["completion_tokens"] > 0


def test_after_kill_9_it_starts_again_on_the_same_port(two, warm_processes):
    with serving(two) as (address, process):
        process.kill()
        process.wait(10)
    port = urlparse(address).port
    with serving(two, port=port) as (again, _):
        assert again == address
        assert posted(again, "/predict", ASKED)["predictions"]


def test_a_client_that_sends_a_byte_a_while_is_closed_and_others_are_answered(address):
    slow = [connected(address) for _ in range(20)]
    ended = threading.Event()

    def drip():
        for byte in (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 100).hex():
            if ended.wait(0.05):
                return
            for each in slow:
                try:
                    each.send(byte.encode())
                except OSError:
                    return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert posted(address, "/predict", ASKED)["predictions"]
        for each in slow:
            assert b"200" not in everything(each)  # closed by the server
    finally:
        ended.set()
        dripping.join()
        for each in slow:
            each.close()


def test_a_body_that_does_not_come_is_refused_in_time(address):
    with connected(address) as connection:
        head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\nConnection: close"
        connection.sendall(head + b"\r\n\r\n{")
        begun = time.monotonic()
        assert everything(connection).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize("head", [b"Content-Length: 1073741824\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_of_a_gigabyte_is_refused_before_it_is_there(address, head):
    with connected(address) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n")
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        try:
            for _ in range(64):  # four megabytes are enough to see that it does not read on
                connection.sendall(chunk)
        except OSError:
            pass
        try:
            found = connection.recv(65_536)
        except OSError:
            found = b""
    assert found.startswith(b"HTTP/1.1 413") or not found
    assert status_of(f"{address}/ready") == 200


def test_connections_that_say_nothing_are_closed(address):
    silent = [connected(address) for _ in range(80)]  # more than may be open
    try:
        time.sleep(0.7)
        assert status_of(f"{address}/ready") == 200
        assert all(everything(each) == b"" for each in silent)
    finally:
        for each in silent:
            each.close()


def test_garbage_is_refused_and_the_next_request_answered(address):
    draw = random.Random(0)
    for number in range(GARBAGE):
        with connected(address) as connection:
            size = draw.randrange(1, 300)
            start = draw.choice([b"", b"POST /predict HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"])
            connection.sendall(start + draw.randbytes(size))
            if number % 4 == 0:
                connection.shutdown(socket.SHUT_WR)
    time.sleep(0.6)  # until those that said too little are closed
    assert posted(address, "/predict", ASKED)["predictions"]
    assert status_of(f"{address}/live") == 200


def test_a_client_that_leaves_takes_its_work_along(address):
    with connected(address) as connection:
        body = b'{"model": "writer", "prompt": "to be", "max_tokens": 16000, "seed": 1, "n": 40, "temperature": 0}'
        connection.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        time.sleep(0.2)
    left = 'scansion_left_total{route="/v1/completions"} 1'
    until_metrics(address, left)
    assert 'scansion_queue_texts{model="writer"} 0' in metrics(address)


def test_a_full_server_refuses_on_a_connection_that_goes_on(two, warm_processes):
    body = b'{"model": "bag", "texts": ["x"]}'
    whole = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    options = "--queue", 1, "--batch-wait", 1_500, "--max-body", 0.1  # the first text waits for company all that time
    with serving({"bag": two["bag"]}, *options) as (address, _), connected(address) as first:
        first.sendall(whole)
        until_metrics(address, 'scansion_queue_texts{model="bag"} 1')
        with connected(address) as second, connected(address) as large, connected(address) as elsewhere:
            for part in (whole[:30], whole[30:-5], whole[-5:] + whole):  # a request in parts, and one that follows it
                second.sendall(part)
                time.sleep(0.02)
            large.sendall(whole.replace(b"Length: 32", b"Length: 999999") + b"x" * 300_000)
            elsewhere.sendall(whole.replace(b"Host: localhost", b"Host: elsewhere.example"))
            refused = [answer(second), answer(second)]
            assert everything(large) == b""
            assert answer(elsewhere)[0] == 421
            assert answer(first)[0] == 200
            second.sendall(whole)
            assert answer(second)[0] == 200
    assert [status for status, _ in refused] == [429, 429]
    assert b"Come back in 1 s" in refused[0][1]


def answer(connection):
    """The status and the body of the next answer on a connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < size:
        body += connection.recv(size - len(body))
    return int(head.split(b" ", 2)[1]), body


def until_metrics(address, line):
    assert any(line in metrics(address) or time.sleep(0.02) for _ in range(500))


def metrics(address):
    with connected(address) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return everything(connection).decode()


@pytest.mark.parametrize(("words", "code", "sentence"), [
    (["NOWHERE"], 1, "There is no model folder"),
    (["a=NOWHERE", "a=NOWHERE"], 2, "Two models are called 'a'"),
    (["x", "--max-texts", "0"], 2, "must be above 0"),
    (["x", "--host", "256.1.1.1"], 1, "cannot be listened on"),
])
@pytest.mark.usefixtures("warm_processes")
def test_what_cannot_be_served_is_said(tmp_path, words, code, sentence):
    words = [word.replace("NOWHERE", str(tmp_path / "nowhere")) for word in words]
    command = [sys.executable, "-m", "scansion", "serve", *words, "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert sentence in done.stderr
