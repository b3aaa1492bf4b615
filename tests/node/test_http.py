"""HTTP and the gRPC health check: bytes there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.linux.netns import NetNamespace
from k8slab.node import grpc_health, http
from k8slab.sim import Simulation

TOKENS = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True)


@given(st.sampled_from(http.METHODS), st.dictionaries(TOKENS, TOKENS, max_size=4), st.binary())
def test_a_request_comes_out_as_it_went_in(method, headers, body):
    headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
    found = http.parse_request(http.Request(method, "/a?b=1", headers, body).encode())
    assert found is not None
    assert (found.method, found.target, found.body) == (method, "/a?b=1", body)
    assert all(found.headers[name] == value for name, value in headers.items())


@given(st.integers(100, 599), st.binary(), st.integers(0, 30))
def test_a_response_is_incomplete_until_its_last_byte(status, body, cut):
    data = http.Response(status, body).encode()
    found = http.parse_response(data)
    assert found is not None
    assert (found.status, found.body) == (status, body)
    if cut:
        assert http.parse_response(data[:-cut]) is None


def test_what_is_no_http_is_refused():
    with pytest.raises(http.BadMessage):
        http.parse_request(b"hello\r\n\r\n")
    with pytest.raises(http.BadMessage):
        http.parse_response(b"SSH-2.0-OpenSSH\r\n")


def exchange(handler, *requests):
    sim = Simulation()
    net = NetNamespace(sim, "here")
    listener = net.listen("127.0.0.1", 80)

    async def server():
        await http.serve_connection(await listener.accept(), handler)

    async def client():
        connection = await net.connect("127.0.0.1", 80)
        return [await http.exchange(connection, each, 5) for each in requests]

    sim.spawn(server(), "server")
    return sim.complete(client(), "client", 60)


def test_a_connection_is_kept_for_the_next_request():
    answers = exchange(
        lambda r: http.text(r.path), http.Request("GET", "/a"), http.Request("GET", "/b")
    )
    assert [answer.text for answer in answers] == ["/a", "/b"]


def test_a_handler_may_take_time():
    async def slow(request):
        return http.text("late", 503)

    assert exchange(slow, http.Request())[0].status == 503


@pytest.mark.parametrize("service", ["", "liveness"])
@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_a_health_check_comes_out_as_it_went_in(service, status):
    data = grpc_health.call(service)
    assert grpc_health.is_request(data)
    assert grpc_health.service_of(data) == service
    assert grpc_health.status_of(grpc_health.respond(status)) == status


def test_a_server_without_health_checks_says_unimplemented():
    answer = grpc_health.respond(code=grpc_health.UNIMPLEMENTED)
    with pytest.raises(
        grpc_health.GrpcError, match=r"unknown service grpc\.health\.v1\.Health"
    ) as e:
        grpc_health.status_of(answer)
    assert e.value.code == grpc_health.UNIMPLEMENTED


def test_an_answer_to_head_ends_with_its_head() -> None:
    wire = http.text("hello").encode(with_body=False)
    assert wire.endswith(b"Content-Length: 5\r\n\r\n")
    assert http.parse_response(wire) is None
    answer = http.parse_response(wire, method="HEAD")
    assert answer is not None
    assert (answer.status, answer.body, answer.header("Content-Length")) == (200, b"", "5")


def test_an_answer_without_content_has_no_length() -> None:
    wire = http.Response(204).encode()
    assert b"Content-Length" not in wire
    assert http.parse_response(wire) == http.Response(204)
