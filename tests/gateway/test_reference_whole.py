"""What a real API server answered about objects that controllers write to: replayed with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.test_reference import RECORDED, field, masked
from tests.gateway.whole import WholeLab

IDS = (
    *("put-deploy-norv", "scale-get", "scale-put", "status-neg", "prop-orphan"),
    *("list-limit", "list-sorted", "fv-warn"),
)


def facts() -> list[Any]:
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else []
    return [fact for fact in recorded if fact["id"] in IDS]


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: fact["id"])
def test_the_gateway_answers_as_a_real_server_with_controllers_did(fact: Any) -> None:
    lab = WholeLab()
    for earlier in fact.get("setup") or ():
        if "method" in earlier and earlier.get("code") != 403:
            lab.send(earlier)
    answer, response = lab.send(fact["request"]), fact["response"]
    assert answer.status == response["code"]
    found = json.loads(answer.body)
    if "body" in response:
        assert masked(found) == masked(response["body"])
    for path, value in (response.get("fields") or {}).items():
        assert masked(field(found, path)) == masked(value), path
