"""Many clients at once: no watcher misses anything, and nothing is left behind."""

from __future__ import annotations

import gc
import http.client
import json
import random
import threading
import time
from collections import Counter

from k8slab import Cluster
from k8slab.client import Request, WatchStream
from k8slab.cluster.forgetting import INTERVAL
from k8slab.control_plane.apiserver.cacher import Watcher
from k8slab.gateway.outbox import Outbox
from k8slab.gateway.server import Handler
from k8slab.sim import Task

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
WRITERS, WATCHERS, REQUESTS = 15, 25, 10  # requests of each writer
END = "the-end"  # the last object that is written


def call(port: int, method: str, path: str, body: object = None) -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    try:
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def write(port: int, number: int, codes: list[int]) -> None:
    """Create, change and delete objects, several writers the same ones."""
    dice = random.Random(number)
    for _ in range(REQUESTS):
        name = f"c{dice.randrange(8)}"
        verb = dice.choice(["POST", "PATCH", "DELETE"])
        if verb == "POST":
            code, _ = call(port, verb, CONFIG_MAPS, {"metadata": {"name": name}})
        elif verb == "PATCH":
            change = {"data": {"n": str(dice.random())}}
            code, _ = call(port, verb, f"{CONFIG_MAPS}/{name}", change)
        else:
            code, _ = call(port, verb, f"{CONFIG_MAPS}/{name}")
        codes.append(code)


def watch(port: int, seen: list[dict[str, str]]) -> None:
    """List, then watch, and keep a copy of what there is until the end is written."""
    listing = call(port, "GET", CONFIG_MAPS)[1]
    copy = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in listing["items"]}
    version = listing["metadata"]["resourceVersion"]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", f"{CONFIG_MAPS}?watch=1&resourceVersion={version}")
    answer = connection.getresponse()
    while END not in copy:
        event = json.loads(answer.readline())
        meta = event["object"]["metadata"]
        if event["type"] == "DELETED":
            del copy[meta["name"]]
        else:
            assert (event["type"] == "ADDED") == (meta["name"] not in copy)
            copy[meta["name"]] = meta["resourceVersion"]
    connection.close()
    seen.append(copy)


OF_CLIENTS = (Handler, Outbox, Request, Task, Watcher, WatchStream)  # made for each of them


def of_clients() -> Counter[str]:
    """How many objects there are that the server makes for its clients."""
    gc.collect()
    return Counter(type(o).__name__ for o in gc.get_objects() if isinstance(o, OF_CLIENTS))


def test_every_watcher_has_seen_all_that_many_writers_wrote_and_leaves_nothing() -> None:
    cluster = Cluster(workers=0)
    cluster.settle()
    cluster.forget_past()
    codes: list[int] = []
    seen: list[dict[str, str]] = []
    with cluster.serve(speed=float("inf")) as url:
        port = int(url.rpartition(":")[2])
        before = of_clients()
        writers = [threading.Thread(target=write, args=(port, n, codes)) for n in range(WRITERS)]
        watchers = [threading.Thread(target=watch, args=(port, seen)) for _ in range(WATCHERS)]
        for thread in (*writers, *watchers):
            thread.start()
        for thread in writers:
            thread.join(60)
        call(port, "POST", CONFIG_MAPS, {"metadata": {"name": END}})
        for thread in watchers:
            thread.join(60)
        listing = call(port, "GET", CONFIG_MAPS)[1]
        wait_until_left(cluster, before)
    stored = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in listing["items"]}
    assert set(codes) <= {200, 201, 404, 409}
    assert len(codes) > 100
    assert seen == [stored] * WATCHERS
    written = len(cluster.trace)
    cluster.run(3 * INTERVAL)
    assert len(list(cluster.trace)) < written / 4
    assert len(cluster.world.etcd.server._backend.log) < written / 4


def wait_until_left(cluster: Cluster, before: Counter[str]) -> None:
    """Nothing is there any more that was made for a client."""
    deadline = time.monotonic() + 5
    while True:
        with cluster.turn:
            left = of_clients() - before
        if not left:
            return
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
