"""Tokens of ServiceAccounts: asked for, shown, and worth nothing when their time is over."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import Request

ACCOUNT = "system:serviceaccount:default:default"


def token(lab: Any, **spec: Any) -> Any:
    body = {"spec": spec}
    return lab.request("create", "ServiceAccount", "default", subresource="token", body=body)


def whose(lab: Any, text: str) -> Any:
    manifest = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    return lab.create({**manifest, "spec": {"token": text}}).status


def test_a_token_says_whose_it_is(lab: Any) -> None:
    made = token(lab)
    assert made.spec.expirationSeconds == 3600
    assert made.status.expirationTimestamp == "2026-01-01T01:00:00Z"
    found = whose(lab, made.status.token)
    assert (found.authenticated, found.user.username) == (True, ACCOUNT)
    assert found.user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    )


def test_a_token_ends(lab: Any) -> None:
    made = token(lab, expirationSeconds=600)
    lab.sim.run(600)
    found = whose(lab, made.status.token)
    assert not found.authenticated
    assert "service account token has expired" in found.error


def test_a_token_is_bound_to_its_pod(lab: Any, pod: Any) -> None:
    lab.create(pod())
    bound = {"kind": "Pod", "apiVersion": "v1", "name": "web"}
    text = token(lab, boundObjectRef=bound).status.token
    assert whose(lab, text).user.extra["authentication.kubernetes.io/pod-name"] == ("web",)
    lab.request("delete", "Pod", "web")
    assert not whose(lab, text).authenticated


def test_a_token_for_others_is_not_for_the_api_server(lab: Any) -> None:
    text = token(lab, audiences=["vault"]).status.token
    with pytest.raises(ApiError, match="Unauthorized"):
        lab.server.handle(Request(verb="list", resource="pods", token=text))


def test_what_is_changed_in_a_token_spoils_it(lab: Any) -> None:
    head, claims, signature = token(lab).status.token.split(".")
    assert not whose(lab, f"{head}.{claims[:-2]}.{signature}").authenticated


def test_a_token_lives_ten_minutes_at_least(lab: Any) -> None:
    with pytest.raises(ApiError, match="may not specify a duration less than 10 minutes"):
        token(lab, expirationSeconds=60)


def test_another_accounts_pod_cannot_be_bound(lab: Any, pod: Any) -> None:
    lab.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot"}})
    manifest = pod()
    manifest["spec"]["serviceAccountName"] = "bot"
    lab.create(manifest)
    with pytest.raises(ApiError, match="to pod running with different serviceaccount name"):
        token(lab, boundObjectRef={"kind": "Pod", "apiVersion": "v1", "name": "web"})


def test_a_token_speaks_for_its_account(lab: Any) -> None:
    text = token(lab).status.token
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    request = Request(
        verb="create",
        resource="selfsubjectreviews",
        group="authentication.k8s.io",
        body=body,
        token=text,
    )
    assert lab.server.handle(request).status.userInfo.username == ACCOUNT
