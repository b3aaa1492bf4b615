"""Who somebody is: users, and the tokens of ServiceAccounts.

Interface: ``UserInfo``; ``TokenRequest`` (make a token), ``TokenReview`` (whose is it?),
``SelfSubjectReview`` (who am I?). None of them is stored: they are questions, answered at once.

Upstream: staging/src/k8s.io/api/authentication/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.meta import Object
from k8slab.api.struct import Part, Time, always, mapping


class UserInfo(Part):
    """A user as the API server knows them: a name, and groups that rights may be given to."""

    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = mapping()


class BoundObjectReference(Part):
    """The object without which a token is worth nothing: a Pod, a Secret or a Node."""

    kind: str = ""
    apiVersion: str = ""
    name: str = ""
    uid: str = ""


class TokenRequestSpec(Part):
    """For whom the token is, for how long (seconds), and bound to what."""

    audiences: tuple[str, ...] = always(())
    expirationSeconds: int | None = always(None)
    boundObjectRef: BoundObjectReference | None = always(None)


class TokenRequestStatus(Part):
    """The token, and when it ends."""

    token: str = always("")
    expirationTimestamp: Time | None = always(None)


class TokenRequest(Object):
    """A wish for a token of a ServiceAccount."""

    apiVersion: str = always("authentication.k8s.io/v1")
    kind: str = always("TokenRequest")
    spec: TokenRequestSpec = always(TokenRequestSpec())
    status: TokenRequestStatus = always(TokenRequestStatus())


class TokenReviewSpec(Part):
    """The token in question."""

    token: str = ""
    audiences: tuple[str, ...] = ()


class TokenReviewStatus(Part):
    """Whose the token is, if it is good."""

    authenticated: bool = False
    user: UserInfo = always(UserInfo())
    audiences: tuple[str, ...] = ()
    error: str = ""


class TokenReview(Object):
    """The question whose a token is."""

    apiVersion: str = always("authentication.k8s.io/v1")
    kind: str = always("TokenReview")
    spec: TokenReviewSpec = always(TokenReviewSpec())
    status: TokenReviewStatus = always(TokenReviewStatus())


class SelfSubjectReviewStatus(Part):
    """Who asks."""

    userInfo: UserInfo = always(UserInfo())


class SelfSubjectReview(Object):
    """The question who oneself is."""

    apiVersion: str = always("authentication.k8s.io/v1")
    kind: str = always("SelfSubjectReview")
    status: SelfSubjectReviewStatus = always(SelfSubjectReviewStatus())
