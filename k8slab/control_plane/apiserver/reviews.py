"""Questions to the API server about access: who am I, may I, may they, what may I, whose is this.

A review is created like an object, answered with its status filled in, and kept nowhere.

Rule of use: `answer(access, request)` for the resources of `scheme.REVIEWS`.

Upstream: pkg/registry/authorization, pkg/registry/authentication
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.authentication import (
    SelfSubjectReview,
    SelfSubjectReviewStatus,
    TokenReview,
    TokenReviewStatus,
    UserInfo,
)
from k8slab.api.authorization import (
    LocalSubjectAccessReview,
    NonResourceRule,
    ResourceRule,
    SelfSubjectAccessReview,
    SelfSubjectRulesReview,
    SubjectAccessReview,
    SubjectAccessReviewStatus,
    SubjectRulesReviewStatus,
)
from k8slab.api.scheme import REVIEWS
from k8slab.client import Request
from k8slab.control_plane.apiserver.access import Access, user_of
from k8slab.control_plane.apiserver.access.attributes import of_review
from k8slab.control_plane.apiserver.access.tokens import AUDIENCE, BadToken
from k8slab.control_plane.apiserver.decoding import decode

ONE_OF_BOTH = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
NOT_BOTH = "cannot be specified in combination with resourceAttributes"
SERVED = {(resource.group, resource.plural): resource for resource in REVIEWS}


def is_review(request: Request) -> bool:
    """Say whether a request asks a question of this kind."""
    return (request.group, request.resource) in SERVED


def answer(access: Access, request: Request) -> Any:
    """Answer a review; raises ApiError."""
    resource = SERVED[request.group, request.resource]
    if request.verb != "create" or request.subresource:
        raise errors.method_not_allowed()
    review: Any = decode(resource, request)
    return ANSWERS[resource.type](access, review, request)


def _who_am_i(access: Access, review: SelfSubjectReview, request: Request) -> SelfSubjectReview:
    return replace(review, status=SelfSubjectReviewStatus(userInfo=user_of(request)))


def _may_i(access: Access, review: Any, request: Request) -> Any:
    return _decide(access, review, user_of(request))


def _may_they(access: Access, review: Any, request: Request) -> Any:
    spec = review.spec
    if not spec.user and not spec.groups:
        text = "at least one of user or group must be specified"
        found = errors.invalid_value("spec.user", spec.user, text)
        raise errors.invalid(review.kind, "", [found], request.group)
    user = UserInfo(username=spec.user, uid=spec.uid, groups=spec.groups, extra=spec.extra)
    return _decide(access, review, user)


def _may_they_here(access: Access, review: LocalSubjectAccessReview, request: Request) -> Any:
    asked = review.spec.resourceAttributes
    if asked is None:
        found = errors.invalid_value(
            "spec.nonResourceAttributes",
            review.spec.nonResourceAttributes,
            "disallowed on this kind of request",
        )
        raise errors.invalid(review.kind, "", [found], request.group)
    if asked.namespace != request.namespace:
        raise errors.bad_request(
            f"spec.resourceAttributes.namespace must match namespace: {request.namespace}"
        )
    return _may_they(access, review, request)


def _decide(access: Access, review: Any, user: UserInfo) -> Any:
    what, path = review.spec.resourceAttributes, review.spec.nonResourceAttributes
    wrong = []
    if what is not None and path is not None:
        wrong.append(errors.invalid_value("spec.nonResourceAttributes", path, NOT_BOTH))
    if what is None and path is None:
        wrong.append(errors.invalid_value("spec.resourceAttributes", what, ONE_OF_BOTH))
    if wrong:
        raise errors.invalid(review.kind, "", wrong, "authorization.k8s.io")
    allowed, why = access.authorize(of_review(user, what, path))
    return replace(review, status=SubjectAccessReviewStatus(allowed=allowed, reason=why))


def _what_may_i(
    access: Access, review: SelfSubjectRulesReview, request: Request
) -> SelfSubjectRulesReview:
    if not review.spec.namespace:
        raise errors.bad_request("no namespace on request")
    rules, wrong = access.rules_for(user_of(request), review.spec.namespace)
    status = SubjectRulesReviewStatus(
        resourceRules=tuple(
            ResourceRule(
                verbs=rule.verbs,
                apiGroups=rule.apiGroups,
                resources=rule.resources,
                resourceNames=rule.resourceNames,
            )
            for rule in rules
            if rule.resources
        ),
        nonResourceRules=tuple(
            NonResourceRule(verbs=rule.verbs, nonResourceURLs=rule.nonResourceURLs)
            for rule in rules
            if rule.nonResourceURLs
        ),
        incomplete=bool(wrong),
        evaluationError=wrong,
    )
    return replace(review, status=status)


def _whose(access: Access, review: TokenReview, request: Request) -> TokenReview:
    spec = review.spec
    if not spec.token:
        raise errors.bad_request("token is required for TokenReview in authentication")
    try:
        user = access.authenticator.of_token(spec.token, spec.audiences)
    except BadToken as bad:
        why = f"[invalid bearer token, {bad}]" if str(bad) else "invalid bearer token"
        return replace(review, status=TokenReviewStatus(error=why))
    audiences = spec.audiences or (AUDIENCE,)
    status = TokenReviewStatus(authenticated=True, user=user, audiences=audiences)
    return replace(review, status=status)


ANSWERS: dict[Any, Callable[[Access, Any, Request], Any]] = {
    SelfSubjectReview: _who_am_i,
    TokenReview: _whose,
    SelfSubjectAccessReview: _may_i,
    SubjectAccessReview: _may_they,
    LocalSubjectAccessReview: _may_they_here,
    SelfSubjectRulesReview: _what_may_i,
}
