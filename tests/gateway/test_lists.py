from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.conftest import CONFIG_MAPS, Lab


def names(listing) -> list[str]:
    return [item["metadata"]["name"] for item in listing["items"]]


def test_a_list_names_its_kind_once(lab) -> None:
    lab.config_map("a", k="v")
    listing = lab.get(CONFIG_MAPS)
    assert (listing["kind"], listing["apiVersion"]) == ("ConfigMapList", "v1")
    assert list(listing["items"][0]) == ["metadata", "data"]


def test_a_long_list_comes_in_parts_that_show_one_moment(lab) -> None:
    for name in "abcd":
        lab.config_map(name)
    first = lab.get(f"{CONFIG_MAPS}?limit=3")
    assert first["metadata"]["remainingItemCount"] == 1
    lab.config_map("e")
    lab.send("DELETE", f"{CONFIG_MAPS}/d")
    rest = lab.get(f"{CONFIG_MAPS}?limit=3&continue={first['metadata']['continue']}")
    assert names(first) + names(rest) == ["a", "b", "c", "d"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


@given(count=st.integers(0, 7), limit=st.integers(1, 4))
def test_the_parts_of_a_list_are_the_list(count, limit) -> None:
    lab = Lab()
    for number in range(count):
        lab.config_map(f"c{number}")
    found, token = [], ""
    while True:
        part = lab.get(f"/api/v1/configmaps?limit={limit}&continue={token}")
        found += names(part)
        token = part["metadata"].get("continue", "")
        if not token:
            break
    assert found == names(lab.get("/api/v1/configmaps"))


def test_a_compacted_token_is_expired_and_comes_with_another(lab) -> None:
    for name in "abc":
        lab.config_map(name)
    token = lab.get(f"{CONFIG_MAPS}?limit=1")["metadata"]["continue"]
    lab.config_map("d")
    lab.endpoint.server.compact(lab.endpoint.server.revision)
    code, status = lab.answer("GET", f"{CONFIG_MAPS}?limit=9&continue={token}")
    assert (code, status["reason"]) == (410, "Expired")
    rest = lab.get(f"{CONFIG_MAPS}?limit=9&continue={status['metadata']['continue']}")
    assert names(rest) == ["b", "c", "d"]


def test_an_exact_version_shows_the_past(lab) -> None:
    version = lab.config_map("a")["metadata"]["resourceVersion"]
    lab.config_map("b")
    url = f"{CONFIG_MAPS}?resourceVersion={version}&resourceVersionMatch="
    assert names(lab.get(f"{url}Exact")) == ["a"]
    assert names(lab.get(f"{url}NotOlderThan")) == ["a", "b"]


def test_a_version_that_lies_ahead_is_a_timeout_to_be_tried_again(lab) -> None:
    answer = lab.send("GET", f"{CONFIG_MAPS}?resourceVersion=999")
    assert answer.status == 504
    assert ("Retry-After", "1") in answer.headers


def test_a_table_says_where_it_goes_on(lab) -> None:
    for name in "ab":
        lab.config_map(name)
    table = lab.get(f"{CONFIG_MAPS}?limit=1", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert table["kind"] == "Table"
    assert len(table["rows"]) == table["metadata"]["remainingItemCount"] == 1
    assert table["metadata"]["continue"]


def test_metadata_alone_can_be_asked_for(lab) -> None:
    lab.config_map("a", k="v")
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    listing = lab.get(CONFIG_MAPS, accept=accept)
    assert listing["kind"] == "PartialObjectMetadataList"
    assert "data" not in listing["items"][0]
