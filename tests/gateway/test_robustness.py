from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from k8slab.api.scheme import KINDS
from k8slab.gateway.messages import HttpResponse, HttpStream, http_request
from tests.gateway.conftest import Lab

METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"])
NAMES = st.sampled_from(["a", "default", "kube-root-ca.crt", "A_B", "..", "x" * 300, "ü"])
SUBRESOURCES = st.sampled_from(
    ["", "status", "scale", "log", "exec", "binding", "eviction", "finalize", "nosuch"]
)
OPTIONS = (
    *("limit", "continue", "watch", "labelSelector", "fieldSelector", "resourceVersion"),
    *("resourceVersionMatch", "sendInitialEvents", "allowWatchBookmarks", "timeoutSeconds"),
    *("dryRun", "fieldManager", "fieldValidation", "force", "gracePeriodSeconds"),
    *("propagationPolicy", "orphanDependents", "includeObject", "tailLines", "pretty"),
)
VALUES = st.one_of(
    st.sampled_from(["true", "1", "0", "-1", "All", "a=b", "metadata.name=a", "Exact", "Orphan"]),
    st.text(max_size=6),
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "application/vnd.kubernetes.protobuf",
        "text/plain",
        "",
    ]
)
ACCEPTS = st.sampled_from(
    ["", "*/*", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io", "text/html"]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2**40), st.text(max_size=4))
KEYS = st.sampled_from(
    ["metadata", "name", "spec", "data", "labels", "kind", "apiVersion", "containers", "op", "path"]
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=10,
)
BODIES = st.one_of(st.binary(max_size=30), DATA.map(lambda data: json.dumps(data).encode()))
ALLOWED_500 = ("resourceVersion", "target", "strconv.ParseUint", "failed to create typed patch")


BEGIN = [
    ("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}}),
    (
        "/api/v1/namespaces/default/pods",
        {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "a"}]}},
    ),
    (
        "/apis/apps/v1/namespaces/default/deployments",
        {
            "metadata": {"name": "a"},
            "spec": {
                "selector": {"matchLabels": {"a": "b"}},
                "template": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"containers": [{"name": "a", "image": "a"}]},
                },
            },
        },
    ),
    (
        "/api/v1/namespaces/default/services",
        {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}},
    ),
]


@st.composite
def requests(draw):
    resource = draw(st.sampled_from(KINDS))
    root = f"/apis/{resource.api_version}" if resource.group else "/api/v1"
    if draw(st.integers(0, 9)) == 0:
        root = draw(st.sampled_from(["/apis/no/v1", "", "/api/v1/watch", "/apis"]))
    namespace = draw(st.sampled_from(["", "/namespaces/default", "/namespaces/nosuch"]))
    plural = draw(st.sampled_from([resource.plural, "pods", "deployments", "nosuch"]))
    parts = [root + namespace, plural, draw(NAMES), draw(SUBRESOURCES)]
    path = "/".join(parts[: draw(st.integers(1, 4))])
    query = draw(st.lists(st.tuples(st.sampled_from(OPTIONS), VALUES), max_size=3))
    headers = {"content-type": draw(TYPES), "accept": draw(ACCEPTS)}
    http = http_request(draw(METHODS), "/", headers=headers, body=draw(BODIES))
    return replace(http, path=path, query=tuple(query))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(requests(), min_size=1, max_size=4))
def test_no_request_is_answered_with_a_traceback(several) -> None:
    lab = Lab()
    for url, body in BEGIN:
        assert lab.answer("POST", url, body)[0] == 201
    for http in several:
        check(lab.sim.complete(lab.gateway.handle(http), "request", 3600.0))


PATCHES = TYPES.filter(lambda kind: "patch" in kind)
OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]),
            "path": st.sampled_from(["/spec", "/metadata/labels/a", "/data/k", "", "/spec/0", "x"]),
        },
        optional={"value": DATA, "from": st.sampled_from(["/data", "/metadata", ""])},
    ),
    max_size=3,
)
OBJECTS = st.sampled_from([f"{url}/a" for url, _ in BEGIN])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(OBJECTS, PATCHES, st.one_of(DATA, OPERATIONS), st.sampled_from(["", "/status", "/scale"]))
def test_any_patch_is_applied_or_refused(url, kind, patch, subresource) -> None:
    lab = Lab()
    for where, body in BEGIN:
        lab.post(where, body)
    headers = {"content_type": kind}
    if kind == "application/apply-patch+yaml" and isinstance(patch, dict):
        made = lab.get(url)
        patch = {**patch, "kind": made["kind"], "apiVersion": made["apiVersion"]}
    check(lab.send("PATCH", f"{url}{subresource}?fieldManager=x&force=", patch, **headers))
    lab.send("GET", url)


def check(answer: object) -> None:
    """Say that an answer is one that a real server could have given."""
    if isinstance(answer, HttpStream):
        return
    assert isinstance(answer, HttpResponse)
    if answer.status >= 400 and answer.content_type == "application/json":
        status = json.loads(answer.body)
        assert status["kind"] == "Status"
        assert status["code"] == answer.status
    if answer.status >= 500 and answer.status != 504:
        assert any(word in answer.body.decode() for word in ALLOWED_500), answer.body
