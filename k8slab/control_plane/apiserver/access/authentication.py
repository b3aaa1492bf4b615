"""Who asks: the user behind a request, and the groups that they are in.

A component of the lab says its name, where a real one shows a certificate or a token that says it.
`identify` turns the name into the user that such a credential would name:

    system:kube-proxy/worker-1   system:serviceaccount:kube-system:kube-proxy, from its Pod's token
    system:node:worker-1         in the group system:nodes, from its certificate
    kubernetes-admin             in the group kubeadm:cluster-admins

Clients over HTTP send a bearer token: that of a ServiceAccount (see `tokens`), or the subject of a
certificate in its place, "CN=alice,O=developers".

Rule of use: `Authenticator.user_of(request)`; ApiError 401 for a token that is not good.

Upstream: staging/src/k8s.io/apiserver/pkg/authentication
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api import errors
from k8slab.api.authentication import UserInfo
from k8slab.client import ADMIN, ANONYMOUS, Request
from k8slab.control_plane.apiserver.access.tokens import BadToken, Tokens

AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
MASTERS, NODES = "system:masters", "system:nodes"
ACCOUNT_PREFIX, NODE_PREFIX = "system:serviceaccount:", "system:node:"
# What kubeadm writes into the certificates (O=) of the users that are not components.
GROUPS = {
    ADMIN: ("kubeadm:cluster-admins",),
    "kubernetes-super-admin": (MASTERS,),
    "system:kubeadm": (MASTERS,),
    "system:apiserver": (MASTERS,),
}
# Components that run in Pods: their tokens say which account they have.
ACCOUNTS = {
    f"system:{name}": f"{ACCOUNT_PREFIX}kube-system:{account}"
    for name, account in (
        ("kube-proxy", "kube-proxy"),
        ("kindnet", "kindnet"),
        ("coredns", "coredns"),
        ("cloud-controller-manager", "cloud-controller-manager"),
        ("metrics-server", "metrics-server"),
    )
}


def identify(name: str) -> UserInfo:
    """Return the user of that name, with the groups that their credential puts them in.

    >>> identify("system:node:worker-1").groups
    ('system:nodes', 'system:authenticated')
    >>> identify("system:kube-proxy/worker-1").username
    'system:serviceaccount:kube-system:kube-proxy'
    """
    if name == ANONYMOUS:
        return UserInfo(username=name, groups=(UNAUTHENTICATED,))
    known = ACCOUNTS.get(name.partition("/")[0], name)
    return UserInfo(username=known, groups=(*groups_of(known), AUTHENTICATED))


def groups_of(name: str) -> tuple[str, ...]:
    """Return the groups that come with a name, but for that of all who are authenticated."""
    if name.startswith(NODE_PREFIX):
        return (NODES,)
    if name.startswith(ACCOUNT_PREFIX):
        namespace = name.removeprefix(ACCOUNT_PREFIX).partition(":")[0]
        return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return GROUPS.get(name, ())


def of_certificate(subject: str) -> UserInfo:
    """Return the user that a certificate's subject names: CN is the name, each O a group.

    >>> of_certificate("CN=alice,O=developers,O=testers").groups
    ('developers', 'testers', 'system:authenticated')
    """
    parts = [part.strip().partition("=") for part in subject.split(",")]
    name = next((value for key, _, value in parts if key == "CN"), "")
    groups = tuple(value for key, _, value in parts if key == "O")
    return UserInfo(username=name, groups=(*groups, AUTHENTICATED))


def unauthorized() -> errors.ApiError:
    """Say that a token is not good; why is nobody's business."""
    return errors.api_error("Unauthorized", "Unauthorized", 401)


class Authenticator:
    """Finds out who asks."""

    def __init__(self, tokens: Tokens, now: Callable[[], float]) -> None:
        self._tokens = tokens
        self._now = now

    def user_of(self, request: Request) -> UserInfo:
        """Return the user of a request; raises ApiError."""
        if not request.token:
            return identify(request.user)
        try:
            return self.of_token(request.token)
        except BadToken:
            raise unauthorized() from None

    def of_token(self, token: str, audiences: tuple[str, ...] = ()) -> UserInfo:
        """Return whose token it is; raises BadToken."""
        if token.startswith("CN="):
            return of_certificate(token)
        claims = self._tokens.verify(token, self._now(), audiences)
        name = claims.username
        return UserInfo(
            username=name,
            uid=claims.uid,
            groups=(*groups_of(name), AUTHENTICATED),
            extra=claims.extra,
        )
