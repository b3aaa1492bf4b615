"""Who may do what: every request passes here before anything else is done with it.

`Access.admit(request)` finds out who asks, lets them act as somebody else if they may, and asks the
authorizers, as the API server's flag `--authorization-mode` has them:

    AlwaysAllow   everybody may do everything; who they are is known all the same
    Node,RBAC     members of system:masters, nodes within their own, and what roles allow

Each mode of the list is asked in turn until one allows; AlwaysDeny never does.

Rule of use: what comes back has `who` set; the registries read it there.

Upstream: staging/src/k8s.io/apiserver/pkg/server/config.go (DefaultBuildHandlerChain)
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from k8slab.api.authentication import UserInfo
from k8slab.api.meta import Object
from k8slab.api.rbac import PolicyRule
from k8slab.client import Request
from k8slab.control_plane.apiserver.access import impersonation
from k8slab.control_plane.apiserver.access.attributes import Attributes, of_request, refusal
from k8slab.control_plane.apiserver.access.authentication import (
    MASTERS,
    NODES,
    Authenticator,
    identify,
)
from k8slab.control_plane.apiserver.access.escalation import EVERYTHING, EscalationCheck
from k8slab.control_plane.apiserver.access.node import NodeAuthorizer
from k8slab.control_plane.apiserver.access.rbac import Objects, Rbac
from k8slab.control_plane.apiserver.access.tokens import Tokens

ALWAYS_ALLOW, NODE_AND_RBAC = "AlwaysAllow", "Node,RBAC"  # --authorization-mode
MODES = (ALWAYS_ALLOW, "AlwaysDeny", "Node", "RBAC")
STREAMS = frozenset({"exec", "attach", "portforward"})  # a GET that makes something, since v1.35
NODE_RULES_UNKNOWN = "node authorizer does not support user rule resolution"


class Access:
    """Authentication, impersonation and authorization of one API server."""

    def __init__(
        self, mode: str, objects: Objects, tokens: Tokens, now: Callable[[], float]
    ) -> None:
        self._modes = mode.split(",")
        for each in self._modes:
            if each not in MODES:
                known = ", ".join(MODES)
                raise ValueError(f"--authorization-mode has some of {known}, got {each!r}")
        self.tokens = tokens
        self.authenticator = Authenticator(tokens, now)
        self.rbac = Rbac(objects)
        self._nodes = NodeAuthorizer(objects)
        self._escalation = EscalationCheck(self.rbac, self.authorize)

    @property
    def enforced(self) -> bool:
        """Whether anybody is refused anything."""
        return ALWAYS_ALLOW not in self._modes

    def admit(self, request: Request) -> Request:
        """Return the request with who it is from; raises Unauthorized or Forbidden."""
        if not self.enforced and not request.token and request.impersonate is None:
            return request
        user = self.authenticator.user_of(request)
        trace_name = user.username if request.token else request.user
        if request.impersonate is not None:
            user = self._act_as(user, request.impersonate, request)
            trace_name = user.username
        self._check(of_request(request, user))
        if request.subresource in STREAMS and request.verb == "get":
            self._check(replace(of_request(request, user), verb="create"))
        return replace(request, user=trace_name, who=user)

    def authorize(self, asked: Attributes) -> tuple[bool, str]:
        """Say whether it is allowed, and why or why not."""
        if not self.enforced or MASTERS in asked.user.groups:
            return True, ""
        refusals = []
        for mode, authorizer in (("Node", self._nodes), ("RBAC", self.rbac)):
            if mode in self._modes:
                allowed, why = authorizer.authorize(asked)
                if allowed:
                    return True, why
                refusals.append(why)
        return False, "\n".join(text for text in refusals if text)

    def rules_for(self, user: UserInfo, namespace: str) -> tuple[list[PolicyRule], str]:
        """Return all that a user may do in a namespace, and why that may not be all."""
        if not self.enforced:
            return list(EVERYTHING), ""
        found, wrong = self.rbac.rules_for(user, namespace)
        texts = (NODE_RULES_UNKNOWN if NODES in user.groups else "", wrong)
        return found, ", ".join(text for text in texts if text)

    def check_escalation(self, obj: Object, old: Object | None, request: Request) -> None:
        """Refuse a role or binding that gives more than its author has; raises Forbidden."""
        if self.enforced:
            self._escalation.check(obj, old, user_of(request))

    def _check(self, asked: Attributes) -> None:
        allowed, why = self.authorize(asked)
        if not allowed:
            raise refusal(asked, why)

    def _act_as(self, user: UserInfo, wanted: UserInfo, request: Request) -> UserInfo:
        if not all(self.authorize(asked)[0] for asked in impersonation.needed(user, wanted)):
            target = of_request(request, user)
            for asked in impersonation.needed_here(user, wanted, target):
                self._check(asked)
        return impersonation.assumed(wanted)


def user_of(request: Request) -> UserInfo:
    """Return who a request is from."""
    return request.who or identify(request.user)
