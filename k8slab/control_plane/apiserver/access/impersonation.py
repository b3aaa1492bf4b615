"""Acting as somebody else: `kubectl --as=bob --as-group=devs`, the headers Impersonate-*.

Who may do so has the verb `impersonate` on that user (or account) and on each of those groups.
Since v1.36 there is a narrower right too: to act as somebody for certain requests only
(`impersonate-on:user-info:list` on pods) with `impersonate:user-info` on the user. A refusal
speaks of that one.

Rule of use: `needed` lists what must be allowed, `assumed` makes the user that then asks.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.authentication import UserInfo
from k8slab.client import ANONYMOUS
from k8slab.control_plane.apiserver.access.attributes import Attributes
from k8slab.control_plane.apiserver.access.authentication import (
    ACCOUNT_PREFIX,
    AUTHENTICATED,
    NODE_PREFIX,
    UNAUTHENTICATED,
    groups_of,
)

AUTHENTICATION = "authentication.k8s.io"


def needed(user: UserInfo, wanted: UserInfo) -> list[Attributes]:
    """Return what a user must be allowed in order to act as another, whatever they then do."""
    asked = [_on_user(user, wanted.username, "impersonate", "")]
    return [*asked, *_on_the_rest(user, wanted, "impersonate", "")]


def needed_here(user: UserInfo, wanted: UserInfo, request: Attributes) -> list[Attributes]:
    """Return what a user must be allowed in order to act as another in this request."""
    mode = mode_of(wanted.username)
    on_request = replace(request, user=user, verb=f"impersonate-on:{mode}:{request.verb}")
    verb = f"impersonate:{mode}"
    asked = [on_request, _on_user(user, wanted.username, verb, AUTHENTICATION)]
    return [*asked, *_on_the_rest(user, wanted, verb, AUTHENTICATION)]


def mode_of(name: str) -> str:
    """Return which narrow right is about such a user.

    >>> mode_of("bob"), mode_of("system:serviceaccount:default:bot")
    ('user-info', 'serviceaccount')
    """
    if name.startswith(ACCOUNT_PREFIX):
        return "serviceaccount"
    return "arbitrary-node" if name.startswith(NODE_PREFIX) else "user-info"


def _on_user(user: UserInfo, name: str, verb: str, group: str) -> Attributes:
    if name.startswith(ACCOUNT_PREFIX):
        namespace, _, account = name.removeprefix(ACCOUNT_PREFIX).partition(":")
        return Attributes(
            user=user,
            verb=verb,
            group=group,
            resource="serviceaccounts",
            namespace=namespace,
            name=account,
        )
    if group and name.startswith(NODE_PREFIX):
        bare = name.removeprefix(NODE_PREFIX)
        return Attributes(user=user, verb=verb, group=group, resource="nodes", name=bare)
    return Attributes(user=user, verb=verb, group=group, resource="users", name=name)


def _on_the_rest(user: UserInfo, wanted: UserInfo, verb: str, group: str) -> list[Attributes]:
    plain = Attributes(user=user, verb=verb, group=AUTHENTICATION)
    asked = [replace(plain, group=group, resource="groups", name=name) for name in wanted.groups]
    if wanted.uid:
        asked.append(replace(plain, resource="uids", name=wanted.uid))
    for key, values in sorted(wanted.extra.items()):
        extra = replace(plain, resource="userextras", subresource=key)
        asked += [replace(extra, name=value) for value in values]
    return asked


def assumed(wanted: UserInfo) -> UserInfo:
    """Return the user that a request has once it may act as them: with the groups they are in.

    >>> assumed(UserInfo(username="bob")).groups
    ('system:authenticated',)
    """
    groups = wanted.groups
    if not groups and wanted.username.startswith(ACCOUNT_PREFIX):
        groups = groups_of(wanted.username)
    general = UNAUTHENTICATED if wanted.username == ANONYMOUS else AUTHENTICATED
    if general not in groups and not (wanted.username == ANONYMOUS and groups):
        groups = (*groups, general)
    return replace(wanted, groups=groups)
