"""Many clients at once: no watcher misses anything, and nothing is left behind."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time

from k8slab import Cluster

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


def test_every_watcher_has_seen_all_that_many_writers_wrote() -> None:
    cluster = Cluster(workers=0)
    codes: list[int] = []
    seen: list[dict[str, str]] = []
    with cluster.serve(speed=float("inf")) as url:
        port = int(url.rpartition(":")[2])
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
        wait_until_idle(cluster)
    stored = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in listing["items"]}
    assert set(codes) <= {200, 201, 404, 409}
    assert len(codes) > 100
    assert seen == [stored] * WATCHERS


def wait_until_idle(cluster: Cluster) -> None:
    """The cluster has forgotten the watches of clients that left."""
    deadline = time.monotonic() + 5
    while True:
        with cluster.turn:
            assert cluster.world.api.server is not None
            cache = cluster.world.api.server.registries["", "configmaps"].cache
            found = [w for listed in cache._watchers.values() for w in listed]
            left = [w for w in found if w.wanted.namespace == "default"]
            if all(w.stream.closed for w in left):
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)
