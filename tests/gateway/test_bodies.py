from __future__ import annotations

import pytest

from tests.gateway.conftest import CONFIG_MAPS


def test_what_a_body_does_not_say_of_its_kind_the_url_says(lab) -> None:
    assert lab.config_map("a")["kind"] == "ConfigMap"


def test_yaml_is_read_and_written(lab) -> None:
    answer = lab.send(
        "POST",
        CONFIG_MAPS,
        b"metadata: {name: a}\ndata: {k: v}\n",
        content_type="application/yaml",
        accept="application/yaml",
    )
    assert answer.status == 201
    assert answer.body.startswith(b"apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\n")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"{}", "text/csv", 415),
        (b"a: [", "application/yaml", 400),
        (b"k8s\0\xff", "application/vnd.kubernetes.protobuf", 400),
        (b"[" * 100_000, "application/json", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_a_status(lab, body, kind, code) -> None:
    found, status = lab.answer("POST", CONFIG_MAPS, body, content_type=kind)
    assert (found, status["kind"], status["code"]) == (code, "Status", code)


def test_a_patch_must_say_what_kind_of_patch_it_is(lab) -> None:
    lab.config_map("a")
    code, status = lab.answer("PATCH", f"{CONFIG_MAPS}/a", {}, content_type="application/json")
    assert (code, status["reason"]) == (415, "UnsupportedMediaType")


def test_unknown_fields_are_warned_of_unless_the_client_is_strict(lab) -> None:
    body = {"metadata": {"name": "a"}, "nope": 1}
    warned = lab.send("POST", f"{CONFIG_MAPS}?dryRun=All", b'{"metadata":{"name":"a"},"nope":1}')
    assert ("Warning", '299 - "unknown field \\"nope\\""') in warned.headers
    assert lab.answer("POST", f"{CONFIG_MAPS}?fieldValidation=Strict", body)[0] == 400


def test_a_deletion_answers_with_a_status_but_for_pods_and_what_stays(lab) -> None:
    made = lab.config_map("a")
    _, status = lab.answer("DELETE", f"{CONFIG_MAPS}/a")
    assert (status["kind"], status["details"]["uid"]) == ("Status", made["metadata"]["uid"])
    lab.post(CONFIG_MAPS, {"metadata": {"name": "b", "finalizers": ["x.io/y"]}})
    _, marked = lab.answer("DELETE", f"{CONFIG_MAPS}/b")
    assert marked["metadata"]["deletionTimestamp"]


def test_options_of_a_deletion_may_stand_in_the_url_or_in_the_body(lab) -> None:
    for query, body in (("?propagationPolicy=Orphan", b""), ("", {"propagationPolicy": "Orphan"})):
        lab.config_map("a")
        _, marked = lab.answer("DELETE", f"{CONFIG_MAPS}/a{query}", body)
        assert marked["metadata"]["finalizers"] == ["orphan"]
        patch = {"metadata": {"finalizers": None}}
        kind = "application/merge-patch+json"
        lab.answer("PATCH", f"{CONFIG_MAPS}/a", patch, content_type=kind)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("dryRun=Yes", "dryRun"),
        ("fieldValidation=Bogus", "fieldValidation"),
        ("fieldManager=" + "m" * 129, "fieldManager"),
    ],
)
def test_options_that_make_no_sense_are_named(lab, query, field) -> None:
    code, status = lab.answer("POST", f"{CONFIG_MAPS}?{query}", {"metadata": {"name": "a"}})
    assert code == 422
    assert status["details"]["causes"][0]["field"] == field


def test_a_dry_run_gives_back_the_address_it_took(lab) -> None:
    services = "/api/v1/namespaces/default/services"
    body = {"metadata": {"name": "s"}, "spec": {"clusterIP": "10.96.7.7", "ports": [{"port": 80}]}}
    assert lab.answer("POST", f"{services}?dryRun=All", body)[0] == 201
    assert lab.answer("POST", services, body)[0] == 201


@pytest.mark.parametrize("stages", [0.5, 7, True, "All", {"All": 1}, [7]])
def test_options_of_a_deletion_that_make_no_sense_are_refused(lab, stages) -> None:
    lab.config_map("kept")
    code, status = lab.answer("DELETE", f"{CONFIG_MAPS}/kept", {"dryRun": stages})
    assert (code, status["reason"]) == (400, "BadRequest")
    assert lab.answer("GET", f"{CONFIG_MAPS}/kept")[0] == 200


@pytest.mark.parametrize("metadata", [[1], "x", 3, True])
@pytest.mark.parametrize(
    ("where", "kind", "version"),
    [("", "Service", "v1"), ("/a/eviction", "Eviction", "policy/v1"), ("/a/binding", "Pod", "v1")],
)
def test_metadata_that_are_no_object_are_refused(lab, metadata, where, kind, version) -> None:
    body = {"kind": kind, "apiVersion": version, "metadata": metadata}
    code, answer = lab.answer("POST", f"/api/v1/namespaces/default/pods{where}", body)
    assert (code, answer["reason"]) == (400, "BadRequest")
