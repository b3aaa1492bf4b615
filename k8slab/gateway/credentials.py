"""Who a client says it is: the headers Authorization and Impersonate-*.

    Authorization: Bearer <token>       a ServiceAccount's token, or "CN=alice,O=developers"
    Impersonate-User: bob               and Impersonate-Group (often), -Uid, -Extra-<key>

Who sends no token is the administrator: kubectl sends no credentials at all over plain HTTP, and
whoever reaches this machine's own port is its user. `--as=system:anonymous` is anonymous.

Rule of use: `of(http)` gives fields of the `Request`; whether they are true, the API server says.

Upstream: staging/src/k8s.io/apiserver/pkg/authentication/request/bearertoken,
staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from k8slab.api import errors
from k8slab.api.authentication import UserInfo
from k8slab.gateway.messages import HttpRequest

EXTRA = "impersonate-extra-"


def of(http: HttpRequest) -> dict[str, Any]:
    """Return the fields of a Request that say who sends it; raises ApiError.

    >>> of(HttpRequest(method="GET", path="/", headers={"authorization": "Bearer CN=eve"}))
    {'token': 'CN=eve', 'impersonate': None}
    """
    scheme, _, token = http.header("authorization").partition(" ")
    return {
        "token": token.strip() if scheme.lower() == "bearer" else "",
        "impersonate": _impersonated(http),
    }


def _impersonated(http: HttpRequest) -> UserInfo | None:
    name = http.header("impersonate-user")
    groups = tuple(group for group in http.all("impersonate-group") if group)
    uid = http.header("impersonate-uid")
    extra = {
        unquote(key.removeprefix(EXTRA)): http.all(key)
        for key in http.headers
        if key.startswith(EXTRA)
    }
    if name:
        return UserInfo(username=name, groups=groups, uid=uid, extra=extra)
    if groups or uid or extra:
        what = [text for text, found in (("uid", uid), ("groups", groups)) if found] or ["extra"]
        asked = f"requested {what} without impersonating a user"
        raise errors.internal(asked)
    return None
