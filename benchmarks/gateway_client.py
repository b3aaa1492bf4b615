"""The client of bench_gateway: `python -m benchmarks.gateway_client PORT table PODS WATCHERS`.

Prints what it measured as JSON. A client in the server's process would wait for Python's lock.
"""

import http.client
import json
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

FILLERS = 8  # connections that make the Pods of the long list
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


def measured(port: int, accept: dict[str, str], pods: int, watchers: int) -> Figures:
    """Return all figures of a server on a port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    figures: Figures = {}
    before = time.perf_counter()
    for number in range(CREATES):
        create(connection, f"first-{number}")
    figures["create of a Pod over one connection, ms"] = (
        1e3 * (time.perf_counter() - before) / CREATES
    )
    with ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(fill, [port] * FILLERS, range(FILLERS), [pods] * FILLERS))
    lists = [timed(lambda: get(connection, f"{NAMESPACE}/pods", accept)) for _ in range(3)]
    figures[f"list of {pods:,} Pods , s"] = min(lists)
    gets = sorted(
        timed(lambda: get(connection, f"{NAMESPACE}/pods/first-7", PLAIN)) for _ in range(GETS)
    )
    figures["get of a Pod, median, ms"] = gets[len(gets) // 2] * 1e3
    figures["get of a Pod, 99 of 100 are faster, ms"] = gets[len(gets) * 99 // 100] * 1e3
    if watchers:
        figures[f"a change told to {watchers:,} watchers, s"] = fan_out(port, connection, watchers)
    connection.close()
    return figures


def fill(port: int, part: int, pods: int) -> None:
    """Create a part of the Pods that are still to be made."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(CREATES + part, pods, FILLERS):
        create(connection, f"pod-{number}")
    connection.close()


def create(connection: http.client.HTTPConnection, name: str) -> None:
    """Create one Pod."""
    metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": POD_SPEC}
    body = json.dumps(pod)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", f"{NAMESPACE}/pods", body, headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, text


def get(connection: http.client.HTTPConnection, path: str, accept: dict[str, str]) -> bytes:
    """Read something whole."""
    connection.request("GET", path, headers=accept)
    return connection.getresponse().read()


def timed(work: Callable[[], object]) -> float:
    """Return the wall time of some work, in seconds."""
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


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
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "news"}})
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


if __name__ == "__main__":
    port, form, pods, watchers = sys.argv[1:]
    accept = TABLE if form == "table" else PLAIN
    print(json.dumps(measured(int(port), accept, int(pods), int(watchers))))
