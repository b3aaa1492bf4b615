"""What breaks off, lies about its length or is no HTTP never closes the server to others."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.scheme import KINDS
from k8slab.gateway.serving import Serving

MANY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PODS = "/api/v1/namespaces/default/pods"
COLLECTIONS = [
    (f"/apis/{kind.api_version}" if kind.group else "/api/v1")
    + ("/namespaces/default" if kind.namespaced else "")
    + f"/{kind.plural}"
    for kind in KINDS
]
BODY = json.dumps({"metadata": {"name": "broken", "labels": {"a": "b"}}, "spec": {}}).encode()
TYPES = (
    *("application/json", "application/yaml", "application/vnd.kubernetes.protobuf"),
    *("application/json-patch+json", "application/merge-patch+json"),
    *("application/strategic-merge-patch+json", "application/apply-patch+yaml"),
)
BYTES = st.one_of(
    st.binary(max_size=80),
    st.integers(0, len(BODY)).map(lambda end: BODY[:end]),
    st.binary(max_size=40).map(lambda tail: b"k8s\0" + tail),
)

AS_UPSTREAM = b"without impersonating a user"  # which is answered with 500
OPCODES = st.sampled_from([1, 2, 2, 2, 0, 8, 9, 10])
CHANNELS = st.sampled_from([b"", b"\0", b"\4", b"\xff"])
MESSAGES = st.builds(bytes.__add__, CHANNELS, st.binary(max_size=20))


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    serving = Cluster(workers=1).serve(speed=float("inf"))
    with serving:
        yield serving


def port_of(serving: Serving) -> int:
    return int(serving.url.rpartition(":")[2])


def said(port: int, raw: bytes, *, ends: bool = True) -> bytes:
    """Send bytes, and no more if it ends there; return the first that comes back, if any does."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        with suppress(ConnectionError):
            connection.sendall(raw)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            return connection.recv(65536)
    return b""


def check_alive(serving: Serving, answer: bytes = b"") -> None:
    assert not answer.startswith(b"HTTP/1.1 500") or AS_UPSTREAM in answer, answer
    assert b"Traceback" not in answer
    assert serving._driver.failure is None
    connection = http.client.HTTPConnection("127.0.0.1", port_of(serving), timeout=10)
    connection.request("GET", "/livez")
    assert connection.getresponse().status == 200
    connection.close()


@MANY
@given(
    method=st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]),
    path=st.sampled_from(COLLECTIONS),
    named=st.booleans(),
    kind=st.sampled_from(TYPES),
    body=BYTES,
    length=st.sampled_from([0, 0, 0, 5, -5]),
)
def test_a_body_of_any_bytes_and_length(serving, method, path, named, kind, body, length) -> None:
    path += "/broken?fieldManager=x" if named else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(serving)}\r\n"
    head += f"Content-Type: {kind}\r\nContent-Length: {max(0, len(body) + length)}\r\n\r\n"
    answer = said(port_of(serving), head.encode() + body, ends=length > 0)
    assert answer or length > 0
    check_alive(serving, answer)


@MANY
@given(
    path=st.sampled_from(COLLECTIONS), sizes=st.lists(st.integers(0, 20)), cut=st.integers(0, 90)
)
def test_chunks_that_break_off(serving, path, sizes, cut) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(serving)}\r\n"
    head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (size, BODY[:size]) for size in sizes)
    check_alive(serving, said(port_of(serving), head.encode() + chunks[:cut]))


@MANY
@given(
    names=st.lists(
        st.sampled_from(
            [
                "Accept",
                "Accept-Encoding",
                "Authorization",
                "Cookie",
                "Impersonate-User",
                "Impersonate-Extra-a",
                "Range",
                "Expect",
                "If-None-Match",
                "Content-Length",
                "Upgrade",
            ]
        )
    ),
    value=st.binary(max_size=40),
)
def test_headers_of_any_bytes(serving, names, value) -> None:
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name in names)
    head = f"GET {PODS} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(serving)}\r\n".encode()
    check_alive(serving, said(port_of(serving), head + lines + b"\r\n"))


@MANY
@given(
    path=st.sampled_from(
        ["exec?command=sh&stdin=1&tty=1", "attach?stdin=1", "portforward?ports=1"]
    ),
    frames=st.lists(st.tuples(OPCODES, MESSAGES)),
    tail=st.one_of(st.just(b""), st.binary(max_size=20)),
)
def test_frames_of_any_bytes(serving, box, path, frames, tail) -> None:
    head = f"GET {PODS}/box/{path} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(serving)}\r\n"
    head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    head += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    head += "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(serving)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 101")
        with suppress(ConnectionError):
            connection.sendall(b"".join(itertools.starmap(frame, frames)) + tail + frame(8, b""))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    check_alive(serving)


def frame(opcode: int, data: bytes) -> bytes:
    """A whole frame of a client, masked by zeros."""
    return bytes([0x80 | opcode, 0x80 | len(data), 0, 0, 0, 0]) + data


@pytest.fixture(scope="module")
def box(serving) -> str:
    """A Pod that runs."""
    container = {"name": "box", "image": "busybox:1.37", "command": ["sleep", "86400"]}
    pod = {"metadata": {"name": "box"}, "spec": {"containers": [container]}}
    address = ("127.0.0.1", port_of(serving))
    with closing(http.client.HTTPConnection(*address, timeout=10)) as connection:
        connection.request("POST", PODS, json.dumps(pod), {"Content-Type": "application/json"})
        connection.getresponse().read()
        for _ in range(200):
            connection.request("GET", f"{PODS}/box")
            if json.load(connection.getresponse())["status"]["phase"] == "Running":
                return "box"
            time.sleep(0.05)
    raise AssertionError("the Pod does not run")
