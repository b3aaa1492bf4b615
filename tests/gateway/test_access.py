"""Who a client over HTTP is: tokens, impersonation, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab.control_plane.apiserver.access import NODE_AND_RBAC
from k8slab.control_plane.apiserver.bootstrap import ensure_policy
from tests.gateway.conftest import CONFIG_MAPS, Lab

ALICE = {"authorization": "Bearer CN=alice,O=developers"}
REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ADMINS = {
    "metadata": {"name": "admins"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "cluster-admin",
    },
    "subjects": [{"kind": "Group", "name": "kubeadm:cluster-admins"}],
}


@pytest.fixture
def guarded() -> Lab:
    """A gateway whose server asks for roles; the administrator has one."""
    lab = Lab(authorization_mode=NODE_AND_RBAC)
    ensure_policy(lab.server)
    token = "Bearer CN=root,O=system:masters"
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    assert lab.answer("POST", bindings, ADMINS, authorization=token)[0] == 201
    lab.prepare()
    return lab


def test_whoever_says_nothing_is_the_administrator(guarded: Lab) -> None:
    code, found = guarded.answer("POST", REVIEWS, {})
    assert code == 201
    assert found["status"]["userInfo"]["username"] == "kubernetes-admin"


def test_a_certificates_subject_stands_for_the_certificate(guarded: Lab) -> None:
    _, found = guarded.answer("POST", REVIEWS, {}, **ALICE)
    assert found["status"]["userInfo"]["groups"] == ["developers", "system:authenticated"]
    code, refused = guarded.answer("GET", CONFIG_MAPS, **ALICE)
    assert (code, refused["details"]) == (403, {"kind": "configmaps"})


def test_a_refused_impersonation_reads_as_upstream(guarded: Lab) -> None:
    code, refused = guarded.answer("GET", CONFIG_MAPS, impersonate_user="bob", **ALICE)
    assert code == 403
    assert refused["message"] == (
        'configmaps is forbidden: User "alice" cannot impersonate-on:user-info:list resource '
        '"configmaps" in API group "" in the namespace "default"'
    )


def test_an_anonymous_user_sees_the_version_and_little_else(guarded: Lab) -> None:
    anonymous = {"impersonate_user": "system:anonymous"}
    assert guarded.answer("GET", "/version", **anonymous)[0] == 200
    code, refused = guarded.answer("GET", CONFIG_MAPS, **anonymous)
    assert (code, refused["message"]) == (
        403,
        'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in '
        'API group "" in the namespace "default"',
    )
    code, refused = guarded.answer("GET", "/apis", **anonymous)
    assert refused["message"] == 'forbidden: User "system:anonymous" cannot get path "/apis"'


def test_groups_without_a_user_are_refused(guarded: Lab) -> None:
    code, refused = guarded.answer("GET", CONFIG_MAPS, impersonate_group="devs")
    assert code == 500
    assert "without impersonating a user" in refused["message"]


def test_a_bad_token_is_401(guarded: Lab) -> None:
    code, refused = guarded.answer("GET", CONFIG_MAPS, authorization="Bearer x.y.z")
    assert (code, refused["reason"], refused["message"]) == (401, "Unauthorized", "Unauthorized")


def test_an_accounts_token_opens_what_its_roles_allow(guarded: Lab) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    code, made = guarded.answer("POST", f"{accounts}/default/token", {"spec": {}})
    assert code == 201
    token = {"authorization": f"Bearer {made['status']['token']}"}
    code, refused = guarded.answer("GET", CONFIG_MAPS, **token)
    assert code == 403
    assert 'User "system:serviceaccount:default:default" cannot list' in refused["message"]


def test_reviews_are_discovered_as_questions(guarded: Lab) -> None:
    found = guarded.get("/apis/authorization.k8s.io/v1")
    verbs: dict[str, Any] = {each["name"]: each["verbs"] for each in found["resources"]}
    assert verbs["selfsubjectaccessreviews"] == ["create"]
    code, refused = guarded.answer("GET", REVIEWS)
    assert (code, refused["reason"]) == (405, "MethodNotAllowed")


def test_kubectl_sends_reviews_as_protobuf(guarded: Lab) -> None:
    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    attributes = field(2, b"list") + field(5, b"pods") + field(1, b"default")
    review = field(2, field(1, attributes))
    kind = field(1, b"authorization.k8s.io/v1") + field(2, b"SelfSubjectAccessReview")
    body = b"k8s\0" + field(1, kind) + field(2, review)
    url = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    form = {"content_type": "application/vnd.kubernetes.protobuf"}
    answer = guarded.send("POST", url, body, **form)
    assert json.loads(answer.body)["status"]["allowed"] is True
