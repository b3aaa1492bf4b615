"""The clients of bench_load: `python -m benchmarks.load_client PORT SECONDS WRITERS WATCHERS`.

Writers create, change and delete the same few ConfigMaps; each watcher lists once and keeps a copy
up to date by its watch. At the end every copy must equal what a list says; then all objects are
deleted. Prints JSON.
"""

import http.client
import json
import random
import sys
import threading
import time
from collections import Counter

PATH = "/api/v1/namespaces/default/configmaps"
END = "the-end"  # the last object that is written
NAMES = 40


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


def watch(port: int, copies: list[dict[str, str]], events: Counter[str]) -> None:
    """Keep a copy of what there is until the end is written."""
    copy, version = listing(port)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"{PATH}?watch=1&resourceVersion={version}")
    answer = connection.getresponse()
    while END not in copy:
        event = json.loads(answer.readline())
        meta = event["object"]["metadata"]
        events[event["type"]] += 1
        if event["type"] == "DELETED":
            del copy[meta["name"]]
        else:
            copy[meta["name"]] = meta["resourceVersion"]
    connection.close()
    copies.append(copy)


def listing(port: int) -> tuple[dict[str, str], str]:
    """Return the version of each object, and that of the list."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", PATH)
    found = json.loads(connection.getresponse().read())
    connection.close()
    items = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in found["items"]}
    return items, found["metadata"]["resourceVersion"]


def main(port: int, seconds: float, writers: int, watchers: int) -> dict[str, object]:
    """Run all clients at once, and say what came of it."""
    codes, events = Counter[int](), Counter[str]()
    copies: list[dict[str, str]] = []
    until = time.monotonic() + seconds
    watching = [
        threading.Thread(target=watch, args=(port, copies, events)) for _ in range(watchers)
    ]
    writing = [
        threading.Thread(target=write, args=(port, number, until, codes))
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
        "events": events.total(),
        "wrong": sum(copy != stored for copy in copies) + watchers - len(copies),
    }


if __name__ == "__main__":
    words = sys.argv[1:]
    print(json.dumps(main(int(words[0]), float(words[1]), int(words[2]), int(words[3]))))
