"""The client of bench_gateway: `python -m benchmarks.gateway_client PORT writes|fill|reads`.

`writes` wants an empty cluster, `fill` makes of that one with `PODS` Pods, `reads` finds them.
Prints what it measured as JSON. A client in the server's process would wait for Python's lock.
"""

import http.client
import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.measure import timed

FILLERS = 8  # connections that make the Pods of the long list
PODS, WATCHERS = 5_000, 1_000
GETS = 200
CREATES = 200
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
PLAIN = {"Accept": "application/json"}
NAMESPACE = "/api/v1/namespaces/default"
POD_SPEC = {  # held back: nobody but the API server has work with it
    "schedulingGates": [{"name": "example.com/held"}],
    "containers": [{"name": "web", "image": "nginx"}],
}
Figures = dict[str, float]


def writes(port: int) -> Figures:
    """Return what creates and their watchers cost in an empty cluster."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    before = time.perf_counter()
    for number in range(CREATES):
        create(connection, f"first-{number}")
    taken = time.perf_counter() - before
    told = fan_out(port, connection, WATCHERS)
    connection.close()
    return {
        "creates of Pods over one connection, /s": CREATES / taken,
        f"a change told to {WATCHERS:,} watchers, s": told,
    }


def reads(port: int) -> Figures:
    """Return what reads cost in a cluster with many Pods."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    lists = [timed(lambda: get(connection, f"{NAMESPACE}/pods", TABLE)) for _ in range(3)]
    assert len(json.loads(get(connection, f"{NAMESPACE}/pods", TABLE))["rows"]) == PODS
    gets = sorted(
        timed(lambda: get(connection, f"{NAMESPACE}/pods/first-7", PLAIN)) for _ in range(GETS)
    )
    connection.close()
    return {
        f"list of {PODS:,} Pods as Table, s": min(lists),
        "get of a Pod, median, ms": gets[len(gets) // 2] * 1e3,
        "get of a Pod, 99 of 100 are faster, ms": gets[len(gets) * 99 // 100] * 1e3,
    }


def fill(port: int) -> Figures:
    """Create the Pods that are still to be made."""
    with ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(fill_part, [port] * FILLERS, range(FILLERS)))
    return {}


def fill_part(port: int, part: int) -> None:
    """Create every eighth of them."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(CREATES + part, PODS, FILLERS):
        create(connection, f"pod-{number}")
    connection.close()


def create(connection: http.client.HTTPConnection, name: str) -> None:
    """Create one Pod."""
    body = json.dumps(pod(name))
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"{NAMESPACE}/pods", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, text


def pod(name: str) -> dict[str, Any]:
    """Return a Pod as it is sent."""
    metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": POD_SPEC}


def get(connection: http.client.HTTPConnection, path: str, accept: dict[str, str]) -> bytes:
    """Read something whole."""
    connection.request("GET", path, headers=accept)
    return connection.getresponse().read()


def fan_out(port: int, connection: http.client.HTTPConnection, count: int) -> float:
    """Open watches of ConfigMaps, create one, and wait until each has told of it."""
    asked = f"GET {NAMESPACE}/configmaps?watch=true HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
    watchers = []
    for _ in range(count):
        watcher = socket.create_connection(("127.0.0.1", port))
        watcher.sendall(asked.encode())
        watchers.append(watcher)
    for watcher in watchers:
        until(watcher, b"\r\n\r\n")
    time.sleep(0.5)
    news = {"name": "news", "namespace": "default"}
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": news})
    before = time.perf_counter()
    path = f"{NAMESPACE}/configmaps"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    for watcher in watchers:
        until(watcher, b'"news"')
    taken = time.perf_counter() - before
    for watcher in watchers:
        watcher.close()
    return taken


def until(watcher: socket.socket, sign: bytes) -> None:
    """Read until something has come."""
    watcher.settimeout(30)
    text = b""
    while sign not in text:
        part = watcher.recv(65536)
        assert part, "a watch ended early"
        text += part


PARTS = {"writes": writes, "fill": fill, "reads": reads}

if __name__ == "__main__":
    port, part = sys.argv[1:]
    print(json.dumps(PARTS[part](int(port))))
