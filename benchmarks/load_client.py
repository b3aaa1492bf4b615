"""The clients of bench_load: `python -m benchmarks.load_client PORT SECONDS WRITERS WATCHERS SEED`.

Writers create, change and delete the same few ConfigMaps; each watcher lists and keeps a copy up to
date by its watch. Some of them read slowly; some leave now and then and come back with the last
version they saw, or, when that is too old, list again. At the end every copy must equal what a list
says; then all objects are deleted. Prints JSON.
"""

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from typing import Any

PATH = "/api/v1/namespaces/default/configmaps"
END = "the-end"  # the last object that is written
NAMES = 40
SLOW, LEAVES = 1, 2  # of three watchers each
PAUSE = 0.004  # s at most, between two events that a slow one reads
STAY = 200  # events at most, after which another one leaves
AWAY = 6.0  # s, now and then, before it comes back


def call(connection: http.client.HTTPConnection, verb: str, path: str, body: object = None) -> int:
    """Send one request and return the code of its answer."""
    form = "application/merge-patch+json" if verb == "PATCH" else "application/json"
    connection.request(verb, path, json.dumps(body) if body else None, {"Content-Type": form})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def write(port: int, number: int, until: float, codes: Counter[int]) -> None:
    """Write until the time is over."""
    dice = random.Random(number)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while time.monotonic() < until:
        name = f"c{dice.randrange(NAMES)}"
        verb = dice.choice(["POST", "PATCH", "PATCH", "DELETE"])
        if verb == "POST":
            code = call(connection, verb, PATH, {"metadata": {"name": name}})
        else:
            body = {"data": {"n": str(dice.random())}} if verb == "PATCH" else None
            code = call(connection, verb, f"{PATH}/{name}", body)
        codes[code] += 1
    connection.close()


def watch(port: int, number: int, copies: list[dict[str, str]], events: Counter[str]) -> None:
    """Keep a copy of what there is until the end is written."""
    dice = random.Random(-1 - number)
    copy, version = listing(port)
    while END not in copy:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"{PATH}?watch=1&resourceVersion={version}")
        answer = connection.getresponse()
        most = dice.randrange(1, STAY) if number % 3 == LEAVES else None
        while END not in copy and most != 0:
            line = answer.readline()
            if not line:  # cut off, for it read too slowly
                break
            event = json.loads(line)
            events[event["type"]] += 1
            if event["type"] == "ERROR":
                assert event["object"]["code"] == 410, event
                copy, version = listing(port)
                break
            version = apply(event, copy)
            most = most - 1 if most is not None else None
            if number % 3 == SLOW:
                time.sleep(PAUSE * dice.random())
        connection.close()
        events["left"] += most == 0
        if most == 0 and dice.random() < 0.1:
            time.sleep(AWAY)
    copies.append(copy)


def apply(event: dict[str, Any], copy: dict[str, str]) -> str:
    """Bring a copy up to date; return the version that it has now."""
    meta = event["object"]["metadata"]
    name = meta["name"]
    assert (event["type"] == "ADDED") == (name not in copy), f"{event} does not fit {copy}"
    if event["type"] == "DELETED":
        del copy[name]
    else:
        copy[name] = meta["resourceVersion"]
    return str(meta["resourceVersion"])


def listing(port: int) -> tuple[dict[str, str], str]:
    """Return the version of each object, and that of the list."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", PATH)
    found = json.loads(connection.getresponse().read())
    connection.close()
    items = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in found["items"]}
    return items, found["metadata"]["resourceVersion"]


def main(port: int, seconds: float, writers: int, watchers: int, seed: int) -> dict[str, object]:
    """Run all clients at once, and say what came of it."""
    codes, events = Counter[int](), Counter[str]()
    copies: list[dict[str, str]] = []
    until = time.monotonic() + seconds
    watching = [
        threading.Thread(target=watch, args=(port, number, copies, events))
        for number in range(watchers)
    ]
    writing = [
        threading.Thread(target=write, args=(port, writers * seed + number, until, codes))
        for number in range(writers)
    ]
    for thread in (*watching, *writing):
        thread.start()
    for thread in writing:
        thread.join()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    call(connection, "POST", PATH, {"metadata": {"name": END}})
    connection.close()
    for thread in watching:
        thread.join(60)
    stored, _ = listing(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    call(connection, "DELETE", PATH)
    connection.close()
    return {
        "requests": codes.total(),
        "refused": sum(count for code, count in codes.items() if code >= 500),
        "events": events.total() - events["left"],
        "left": events["left"],
        "expired": events["ERROR"],
        "wrong": sum(copy != stored for copy in copies) + watchers - len(copies),
    }


if __name__ == "__main__":
    port, seconds, *counts = sys.argv[1:]
    print(json.dumps(main(int(port), float(seconds), *map(int, counts))))
