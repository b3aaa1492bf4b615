"""What a real API server answered, replayed over HTTP; skipped where the recordings are absent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from k8slab.gateway.messages import HttpStream
from tests.gateway.conftest import Lab

RECORDED = Path(__file__).parents[3] / "shared" / "reference" / "api_behaviour.json"
# Groups that need nothing but an API server.
GROUPS = (
    *("crud", "fieldValidation", "update", "delete", "finalizers", "deletecollection", "patch"),
    *("apply", "list", "table", "watch", "discovery", "gone"),
)
NO_CONTROLLERS = "needs what controllers write: most are in test_reference_whole"
OTHER_STORE = "depends on the revisions of that store"
DIFFERENT = {
    "put-deploy-norv": NO_CONTROLLERS,
    "patch-status-via-main": NO_CONTROLLERS,
    "patch-unknown-strict": NO_CONTROLLERS,
    "list-limit": NO_CONTROLLERS,  # kube-root-ca.crt
    "list-sorted": NO_CONTROLLERS,
    "list-continue": OTHER_STORE,
    "continue-snapshot": OTHER_STORE,
    "gone-continue": OTHER_STORE,
    "gone-notolder": OTHER_STORE,
    "gone-watch": OTHER_STORE,
    "watch-rv": OTHER_STORE,
    "watch-rv1-replay": OTHER_STORE,
    "gone-watch-rv-recent": OTHER_STORE,
    "watch-table": "the recording does not say that a Table was asked for",
    "fv-warn": NO_CONTROLLERS,  # a service account
    "accept-table": "columns are described in our own words",
    "accept-table-object": "columns are described in our own words",
    "disc-version": "another version",
    "disc-root": "another set of groups",
    "disc-openapi": "another document, so another hash",
    "disc-readyz-verbose": "another set of checks",
}
MASKS = (
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
    (r'"resourceVersion": "\d+"', '"resourceVersion": "<version>"'),
    (r"current: \d+", "current: <version>"),
    (r"resourceVersion: \\*\"\d+\\*\"", "resourceVersion: <version>"),
    (r"(g{58})[a-z0-9]{5}", r"\1<suffix>"),
    (r"manager: \w+", "manager: <name>"),
    (r'"\d+s"', '"<age>"'),
)


def facts() -> list[Any]:
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else []
    return [fact for fact in recorded if fact["group"] in GROUPS and fact["id"] not in DIFFERENT]


def masked(data: Any) -> str:
    text = json.dumps(without_books(data), sort_keys=True)
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return text


def without_books(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            k: without_books(v) for k, v in data.items() if k != "managedFields" and v is not None
        }
    return [without_books(item) for item in data] if isinstance(data, list) else data


def field(data: Any, path: str) -> Any:
    if path == "names":
        return [item["metadata"]["name"] for item in data["items"] if is_ours(item)]
    for part in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path):
        number, name = part
        if number:
            data = data[int(number)] if data and int(number) < len(data) else None
        else:
            data = data.get(name) if isinstance(data, dict) else None
    return data


def is_ours(item: Any) -> bool:
    return bool(item["metadata"]["name"] != "kube-root-ca.crt")


def send(lab: Lab, request: Any) -> Any:
    headers = {k.lower().replace("-", "_"): v for k, v in (request.get("headers") or {}).items()}
    headers.setdefault("user_agent", "orc/1")
    body = request.get("body")
    data = b"" if body is None else body.encode() if isinstance(body, str) else body
    return lab.send(request["method"], request["path"], data, **headers)


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: fact["id"])
def test_the_gateway_answers_as_a_real_server_did(lab, fact) -> None:
    request, response = fact["request"], fact["response"]
    later = [(method, path, body) for method, path, body, _ in request.get("while_open") or ()]
    for earlier in fact.get("setup") or ():  # it lists what was done during the watch, too
        if "method" in earlier:
            step = (earlier["method"], earlier["path"], earlier.get("body"))
            if step not in later:
                send(lab, earlier)
    answer = send(lab, request)
    if isinstance(answer, HttpStream):
        return compare_events(lab, answer, request, response)
    assert answer.status == response["code"]
    is_json = "json" in answer.content_type
    found = json.loads(answer.body) if is_json else answer.body.decode()
    if "body" in response:
        assert masked(found) == masked(response["body"])
    for path, value in (response.get("fields") or {}).items():
        wanted = [n for n in value if n != "kube-root-ca.crt"] if path == "names" else value
        assert masked(field(found, path)) == masked(wanted), path
    warned = (response.get("headers") or {}).get("Warning", [])
    given = [value for name, value in answer.headers if name == "Warning"]
    assert given == ([warned] if isinstance(warned, str) else warned)
    return None


def compare_events(lab: Lab, answer: HttpStream, request: Any, response: Any) -> None:
    chunks: list[bytes] = []
    task = lab.sim.spawn(answer.produce(chunks.append), "watch")  # type: ignore[arg-type]
    lab.sim.run(lab.sim.now + 0.5)
    for method, path, body, headers in request.get("while_open") or ():
        send(lab, {"method": method, "path": path, "body": body, "headers": headers})
    lab.sim.run(lab.sim.now + request["watch_seconds"])
    task.kill()
    lab.sim.run(lab.sim.now)
    events = [json.loads(line) for line in b"".join(chunks).splitlines()]
    assert [e["type"] for e in events] == [e["type"] for e in response["events"]]
    for event, wanted in zip(events, response["events"], strict=True):
        meta = event["object"].get("metadata", {})
        assert meta.get("name") == wanted.get("name")
        assert (meta.get("annotations") or None) == wanted.get("annotations")
