"""Which names a server answers to: a page from anywhere must not reach one that listens on this machine alone."""

import pytest

from scansion.serving.hosts import answering_to, host_in, hosts_of
from serving_process import finished


async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def status(header, address="127.0.0.1", allowed=()):
    sent = []

    async def send(message):
        sent.append(message)

    headers = [] if header is None else [(b"host", header)]
    application = answering_to(hosts_of(address, allowed), inner)
    finished(application({"type": "http", "headers": headers}, None, send))
    return sent[0]["status"]


@pytest.mark.parametrize("header", [b"127.0.0.1:8000", b"localhost", b"LOCALHOST.:8000", b"[::1]:8000", None])
def test_this_machines_names_are_answered(header):
    assert status(header) == 200


@pytest.mark.parametrize("header", [
    b"evil.example", b"evil.example:8000", b"127.0.0.1.evil.example", b"localhost.evil.example", b"evil@localhost",
    b"[::1].evil.example", b"[::2]", b"\xff", b" localhost",
])
def test_others_are_refused_where_only_this_machine_is_listened_to(header):
    assert status(header) == 421


def test_a_name_that_is_allowed_is_answered_beside_the_own_ones_and_no_other():
    assert [status(name, allowed=["Models.internal"]) for name in (b"models.internal:80", b"localhost", b"x")] == [
        200, 200, 421
    ]


def test_a_server_for_others_answers_to_any_name_unless_some_are_named():
    assert status(b"models.example", "0.0.0.0") == 200
    assert status(b"models.example", "0.0.0.0", ["api.example"]) == 421


def test_the_name_is_told_without_the_port():
    assert [host_in(each) for each in ("A.b:80", "[fe80::1]:80", "::", "")] == ["a.b", "fe80::1", "::", ""]
