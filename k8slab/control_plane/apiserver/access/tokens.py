"""Tokens of ServiceAccounts: who may make them is RBAC's business, what they say is here.

A token is a JSON Web Token: header, claims, signature. The claims name the account, when the token
ends, and the object it is bound to; delete that object, or the account, and the token is worth
nothing. The key belongs to the cluster, so a token outlives the API server that made it.

Rule of use: `issue` and `verify`; virtual time counts.

Upstream: pkg/serviceaccount/{claims,jwt}.go
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from k8slab.api.authentication import BoundObjectReference
from k8slab.api.core import Node, Pod, Secret, ServiceAccount
from k8slab.api.meta import EPOCH, Object

ISSUER = "https://kubernetes.default.svc.cluster.local"  # --service-account-issuer
AUDIENCE = ISSUER  # --api-audiences: the issuer, when not set
KINDS: Mapping[str, type[Object]] = {"Pod": Pod, "Secret": Secret, "Node": Node}
# What a token says of the object that it is bound to, as the user's extra.
EXTRA = "authentication.kubernetes.io/"


class BadToken(Exception):  # noqa: N818 (a word about the token)
    """The token is worth nothing; the message says why."""


class LookUp(Protocol):
    """How to ask whether an object is still there."""

    def __call__(self, kind: type[Object], name: str, namespace: str = "") -> Object | None:
        """Return the object, None if there is none."""


class Claims(Struct, frozen=True):
    """Who a good token speaks for."""

    username: str
    uid: str
    extra: Mapping[str, tuple[str, ...]]


class Tokens:
    """Makes and reads the tokens of one cluster."""

    def __init__(self, seed: int, look_up: LookUp) -> None:
        self._key = hashlib.sha256(f"sa.key/{seed}".encode()).digest()
        self._look_up = look_up

    def issue(
        self,
        account: ServiceAccount,
        audiences: tuple[str, ...],
        lifetime: tuple[float, float],
        bound: Object | None,
        identifier: str,
    ) -> str:
        """Return a token of the account for `lifetime` (from, until: virtual seconds)."""
        meta = account.metadata
        about: dict[str, Any] = {"namespace": meta.namespace}
        node = bound.spec.nodeName if isinstance(bound, Pod) else ""
        if node and (found := self._look_up(Node, node)) is not None:
            about["node"] = {"name": node, "uid": found.metadata.uid}
        if bound is not None:
            reference = {"name": bound.metadata.name, "uid": bound.metadata.uid}
            about[bound.kind.lower()] = reference
        about["serviceaccount"] = {"name": meta.name, "uid": meta.uid}
        start, end = (int(EPOCH.timestamp() + moment) for moment in lifetime)
        claims = {
            "aud": list(audiences),
            "exp": end,
            "iat": start,
            "iss": ISSUER,
            "jti": identifier,
            "kubernetes.io": about,
            "nbf": start,
            "sub": f"system:serviceaccount:{meta.namespace}:{meta.name}",
        }
        text = f"{_encoded({'alg': 'HS256'})}.{_encoded(claims)}"
        return f"{text}.{self._signature(text)}"

    def verify(self, token: str, now: float, audiences: tuple[str, ...] = ()) -> Claims:
        """Return who the token speaks for; raises BadToken."""
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            raise BadToken("invalid bearer token")
        claims = _decoded(text.partition(".")[2])
        if now >= claims["exp"] - EPOCH.timestamp():
            raise BadToken("service account token has expired")
        wanted = audiences or (AUDIENCE,)
        if not any(each in wanted for each in claims["aud"]):
            raise BadToken(f"token audiences {claims['aud']} is invalid for the target audiences")
        return self._still_good(claims)

    def _still_good(self, claims: dict[str, Any]) -> Claims:
        about = claims["kubernetes.io"]
        namespace, account = about["namespace"], about["serviceaccount"]
        self._check(ServiceAccount, account, namespace)
        extra = {f"{EXTRA}credential-id": (f"JTI={claims['jti']}",)}
        for kind in ("Pod", "Secret", "Node"):
            reference = about.get(kind.lower())
            if reference is None:
                continue
            extra[f"{EXTRA}{kind.lower()}-name"] = (reference["name"],)
            extra[f"{EXTRA}{kind.lower()}-uid"] = (reference["uid"],)
            if kind != "Node" or "pod" not in about:
                self._check(KINDS[kind], reference, "" if kind == "Node" else namespace)
        return Claims(claims["sub"], account["uid"], extra)

    def _check(self, kind: type[Object], reference: Mapping[str, str], namespace: str) -> None:
        found = self._look_up(kind, reference["name"], namespace)
        if found is None or found.metadata.uid != reference["uid"]:
            raise BadToken("service account token has been invalidated")

    def _signature(self, text: str) -> str:
        return _base64(hmac.digest(self._key, text.encode(), "sha256"))


def bound_kind(reference: BoundObjectReference) -> type[Object] | None:
    """Return the type of the object that a token shall be bound to, None if it cannot be."""
    return KINDS.get(reference.kind) if reference.apiVersion in ("v1", "") else None


def _encoded(data: Mapping[str, Any]) -> str:
    return _base64(msgspec.json.encode(data))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> dict[str, Any]:
    padded = text + "=" * (-len(text) % 4)
    decoded: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(padded))
    return decoded
