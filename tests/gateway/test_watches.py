from __future__ import annotations

from tests.gateway.conftest import CONFIG_MAPS

INITIAL = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


def kinds(events) -> list[str]:
    return [event["type"] for event in events]


def test_a_watch_without_a_version_begins_with_what_is_there(lab) -> None:
    lab.config_map("a")
    assert kinds(lab.watch(f"{CONFIG_MAPS}?watch=1")) == ["ADDED"]


def test_a_watch_from_a_version_begins_with_what_came_after(lab) -> None:
    version = lab.config_map("a")["metadata"]["resourceVersion"]
    lab.config_map("b")
    lab.send("DELETE", f"{CONFIG_MAPS}/a")
    events = lab.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion={version}")
    assert kinds(events) == ["ADDED", "DELETED"]


def test_initial_events_end_with_a_bookmark_that_says_so(lab) -> None:
    lab.config_map("a")
    added, mark = lab.watch(f"{CONFIG_MAPS}?watch=1&{INITIAL}")
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert (
        mark["object"]["metadata"]["resourceVersion"]
        == lab.get(CONFIG_MAPS)["metadata"]["resourceVersion"]
    )


def test_bookmarks_come_once_a_minute_to_those_who_allow_them(lab) -> None:
    url = f"{CONFIG_MAPS}?watch=1&resourceVersion=2"
    assert kinds(lab.watch(f"{url}&allowWatchBookmarks=true", 150)) == ["BOOKMARK"] * 2
    assert lab.watch(url, 150) == []


def test_a_watch_ends_after_its_timeout(lab) -> None:
    stream = lab.send("GET", f"{CONFIG_MAPS}?watch=1&timeoutSeconds=7")
    start = lab.sim.now
    lab.sim.complete(stream.produce(lambda chunk: None), "watch", 60)
    assert lab.sim.now - start == 7


def test_a_watch_from_a_forgotten_version_is_one_error_event(lab) -> None:
    lab.config_map("a")
    lab.config_map("b")
    lab.endpoint.server.compact(lab.endpoint.server.revision)
    (event,) = lab.watch(f"{CONFIG_MAPS}?watch=1&resourceVersion=2")
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_only_the_first_table_of_a_watch_tells_the_columns(lab) -> None:
    lab.config_map("a")
    lab.config_map("b")
    stream = lab.send(
        "GET",
        f"{CONFIG_MAPS}?watch=1&timeoutSeconds=1",
        accept="application/json;as=Table;v=v1;g=meta.k8s.io",
    )
    chunks: list[bytes] = []
    lab.sim.complete(stream.produce(chunks.append), "watch", 60)
    first, second = chunks
    assert b'"name":"Age"' in first
    assert b'"name":"Age"' not in second


def test_sending_initial_events_needs_a_version_match(lab) -> None:
    code, status = lab.answer("GET", f"{CONFIG_MAPS}?watch=1&sendInitialEvents=true")
    assert code == 422
    assert status["details"]["causes"][0]["field"] == "resourceVersionMatch"
