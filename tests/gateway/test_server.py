"""Over real sockets, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from k8slab import Cluster
from k8slab.gateway.reading import MAX_BODY
from k8slab.gateway.server import MAX_STREAMS

PODS = "/api/v1/namespaces/default/pods"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Cluster, int]]:
    cluster = Cluster(workers=1)
    with cluster.serve(speed=float("inf")) as url:
        yield cluster, int(url.rpartition(":")[2])


@pytest.fixture
def port(served) -> int:
    return served[1]


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_an_object_goes_in_and_out(port) -> None:
    assert ask(port, "POST", CONFIG_MAPS, b'{"metadata":{"name":"a"}}')[0] == 201
    code, body = ask(port, "GET", f"{CONFIG_MAPS}/a")
    assert (code, json.loads(body)["metadata"]["name"]) == (200, "a")


def test_it_listens_on_loopback_only(served) -> None:
    address = socket.gethostbyname(socket.gethostname())
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address, served[1]), timeout=2)


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}], ids=["host", "origin"]
)
def test_what_a_web_page_could_send_is_refused(port, headers) -> None:
    code, body = ask(port, "GET", PODS, **headers)
    assert (code, json.loads(body)["reason"]) == (403, "Forbidden")


def test_a_body_that_is_too_large_is_refused(port) -> None:
    code, body = ask(port, "POST", CONFIG_MAPS, b" " * (MAX_BODY + 1))
    assert (code, json.loads(body)["kind"]) == (413, "Status")


@pytest.mark.parametrize("method", ["OPTIONS", "BREW"])
def test_methods_that_nobody_serves_are_refused_with_a_status(port, method) -> None:
    code, body = ask(port, method, PODS)
    assert (code, json.loads(body)["reason"]) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    "raw", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\nHost:\r\n\r\n", b"\0" * 9]
)
def test_what_is_no_http_ends_the_connection_and_nothing_else(port, raw) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)
    assert ask(port, "GET", "/livez")[0] == 200


def test_a_watch_is_told_what_others_do(port) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"{CONFIG_MAPS}?watch=1&fieldSelector=metadata.name=watched")
    answer = connection.getresponse()
    ask(port, "POST", CONFIG_MAPS, b'{"metadata":{"name":"watched"}}')
    assert json.loads(answer.readline())["type"] == "ADDED"
    ask(port, "DELETE", f"{CONFIG_MAPS}/watched")
    assert json.loads(answer.readline())["type"] == "DELETED"
    connection.close()


def test_a_warning_may_speak_any_language(served) -> None:
    _, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = json.dumps({"metadata": {"name": "w"}, "größe 🎈": 1, "line\nbreak": 2})
    connection.request("POST", CONFIG_MAPS, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    (warning,) = answer.headers.get_all("Warning")
    assert warning.encode("latin-1").decode() == '299 - "unknown field \\"größe 🎈\\""'
    connection.close()
    ask(port, "DELETE", f"{CONFIG_MAPS}/w")


def test_a_watch_that_its_client_left_is_closed_in_the_cluster(served) -> None:
    cluster, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"{CONFIG_MAPS}?watch=1")
    answer = connection.getresponse()
    assert len(watches(cluster)) == 1
    answer.close()
    connection.close()
    assert eventually(lambda: watches(cluster) == [])


def test_clients_that_break_off_leave_no_word_in_the_log(served, caplog) -> None:
    cluster, port = served
    asked = f"GET /api/v1/watch/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    for _ in range(40):
        client = socket.create_connection(("127.0.0.1", port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(asked.encode())
        client.recv(1)
        client.close()  # at once, with a reset
    assert eventually(lambda: watches(cluster) == [])
    assert caplog.records == []


def watches(cluster: Cluster) -> list[object]:
    with cluster.turn:
        assert cluster.world.api.server is not None
        cache = cluster.world.api.server.registries["", "configmaps"].cache
        open_ = [w for found in cache._watchers.values() for w in found]
        return [w for w in open_ if not w.stream.closed and w.wanted.namespace == "default"]


def test_cells_and_requests_take_turns(served) -> None:
    cluster, port = served
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: answers.extend(ask(port, "GET", PODS)[0] for _ in range(15))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    before = cluster.now
    for _ in range(30):
        cluster.run(1)
        cluster.kubectl("get pods -A")
    for thread in threads:
        thread.join(20)
    assert answers == [200] * 60
    assert cluster.now >= before + 30


def test_without_an_api_server_the_answer_is_503(served) -> None:
    cluster, port = served
    cluster.stop("kube-apiserver")
    code, body = ask(port, "GET", PODS)
    cluster.start("kube-apiserver")
    assert (code, json.loads(body)["reason"]) == (503, "ServiceUnavailable")


def test_virtual_time_follows_the_wall_clock() -> None:
    cluster = Cluster(workers=0)
    start, began = cluster.now, time.monotonic()
    with cluster.serve(speed=10):
        assert eventually(lambda: cluster.now - start > 3)
    assert cluster.now - start <= 10 * (time.monotonic() - began)
    stopped = cluster.now
    time.sleep(0.1)
    assert cluster.now == stopped


def test_stopping_gives_back_the_port_and_the_thread() -> None:
    cluster = Cluster(workers=0)
    threads = threading.active_count()
    with cluster.serve() as url:
        port = int(url.rpartition(":")[2])
        watch = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        watch.request("GET", f"{PODS}?watch=1")
        watch.getresponse()
    watch.close()
    assert threading.active_count() == threads
    with cluster.serve(port=port) as again:
        assert again == url
        assert ask(port, "GET", "/livez")[0] == 200


def test_there_is_a_limit_to_open_watches() -> None:
    serving = Cluster(workers=0).serve()
    with serving as url:
        port = int(url.rpartition(":")[2])
        serving._server.streams = MAX_STREAMS
        code, body = ask(port, "GET", f"{PODS}?watch=1")
        assert (code, json.loads(body)["reason"]) == (429, "TooManyRequests")
        assert ask(port, "GET", PODS)[0] == 200


def test_a_client_that_leaves_before_its_answer_leaves_nothing_behind() -> None:
    cluster = Cluster(workers=0)
    with cluster.serve(speed=0.01) as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(
                b"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % (PODS.encode(), port)
            )
            assert eventually(lambda: waiting(cluster))
        assert eventually(lambda: not waiting(cluster))


def waiting(cluster: Cluster) -> bool:
    with cluster.turn:
        return any(timer.label == "pods" for timer in cluster.pending())


def eventually(happened: Callable[[], bool], most: float = 10.0) -> bool:
    """Say whether it happens within some seconds of the wall's clock."""
    until = time.monotonic() + most
    while not happened():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_a_port_that_is_taken_is_an_error_at_once(served) -> None:
    with pytest.raises(OSError, match="in use"), Cluster(workers=0).serve(port=served[1]):
        pass


def test_a_speed_must_be_above_zero() -> None:
    with pytest.raises(ValueError, match="above 0"):
        Cluster(workers=0).serve(speed=0)


def test_the_command_serves_until_it_is_told_to_end() -> None:
    command = [sys.executable, "-m", "k8slab", "serve", "--workers", "0", "--speed", "max"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines[0].startswith("export KUBECONFIG=")
        port = int(lines[2].rpartition(":")[2])
        assert ask(port, "GET", "/version")[0] == 200
        process.terminate()
        assert process.wait(10) == 0


def test_the_command_ends_without_a_word_while_a_hundred_watches_are_open() -> None:
    command = [sys.executable, "-m", "k8slab", "serve", "--workers", "0", "--speed", "max"]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process,
        contextlib.ExitStack() as watches,
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        port = int([process.stdout.readline() for _ in range(3)][-1].rpartition(":")[2])
        asked = f"GET {PODS}?watch=1 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        for _ in range(100):
            watch = watches.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            watch.sendall(asked.encode())
            assert watch.recv(12) == b"HTTP/1.1 200"
        process.terminate()
        assert (process.wait(20), process.stderr.read()) == (0, "")
    socket.create_server(("127.0.0.1", port)).close()  # the port is free
