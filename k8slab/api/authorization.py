"""What somebody may do: questions to the API server, answered at once and never stored.

Interface: ``SelfSubjectAccessReview`` (may I?), ``SubjectAccessReview`` and
``LocalSubjectAccessReview`` (may they?), ``SelfSubjectRulesReview`` (what may I?).

Upstream: staging/src/k8s.io/api/authorization/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.meta import LabelSelectorRequirement, Object
from k8slab.api.struct import Part, always, mapping


class FieldSelectorRequirement(Part):
    """One test of a field."""

    key: str = always("")
    operator: str = always("")
    values: tuple[str, ...] = ()


class FieldSelectorAttributes(Part):
    """The fields to which a list or watch is narrowed."""

    rawSelector: str = ""
    requirements: tuple[FieldSelectorRequirement, ...] = ()


class LabelSelectorAttributes(Part):
    """The labels to which a list or watch is narrowed."""

    rawSelector: str = ""
    requirements: tuple[LabelSelectorRequirement, ...] = ()


class ResourceAttributes(Part):
    """A verb on objects; "" of namespace, name and resource means all of them, "*" any."""

    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    fieldSelector: FieldSelectorAttributes | None = None
    labelSelector: LabelSelectorAttributes | None = None


class NonResourceAttributes(Part):
    """A verb on a path such as /version."""

    path: str = ""
    verb: str = ""


class SubjectAccessReviewStatus(Part):
    """Whether it is allowed, and by what."""

    allowed: bool = always(False)
    denied: bool = False
    reason: str = ""
    evaluationError: str = ""


class SelfSubjectAccessReviewSpec(Part):
    """What one would like to do: with objects, or with a path."""

    resourceAttributes: ResourceAttributes | None = None
    nonResourceAttributes: NonResourceAttributes | None = None


class SelfSubjectAccessReview(Object):
    """The question whether oneself may do something."""

    apiVersion: str = always("authorization.k8s.io/v1")
    kind: str = always("SelfSubjectAccessReview")
    spec: SelfSubjectAccessReviewSpec = always(SelfSubjectAccessReviewSpec())
    status: SubjectAccessReviewStatus = always(SubjectAccessReviewStatus())


class SubjectAccessReviewSpec(Part):
    """Who would like to do what."""

    resourceAttributes: ResourceAttributes | None = None
    nonResourceAttributes: NonResourceAttributes | None = None
    user: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = mapping()
    uid: str = ""


class SubjectAccessReview(Object):
    """The question whether a user may do something."""

    apiVersion: str = always("authorization.k8s.io/v1")
    kind: str = always("SubjectAccessReview")
    spec: SubjectAccessReviewSpec = always(SubjectAccessReviewSpec())
    status: SubjectAccessReviewStatus = always(SubjectAccessReviewStatus())


class LocalSubjectAccessReview(Object):
    """The question whether a user may do something in a namespace."""

    apiVersion: str = always("authorization.k8s.io/v1")
    kind: str = always("LocalSubjectAccessReview")
    spec: SubjectAccessReviewSpec = always(SubjectAccessReviewSpec())
    status: SubjectAccessReviewStatus = always(SubjectAccessReviewStatus())


class ResourceRule(Part):
    """Verbs on resources."""

    verbs: tuple[str, ...] = always(())
    apiGroups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resourceNames: tuple[str, ...] = ()


class NonResourceRule(Part):
    """Verbs on paths."""

    verbs: tuple[str, ...] = always(())
    nonResourceURLs: tuple[str, ...] = ()


class SubjectRulesReviewStatus(Part):
    """All that is allowed in the namespace."""

    resourceRules: tuple[ResourceRule, ...] = always(())
    nonResourceRules: tuple[NonResourceRule, ...] = always(())
    incomplete: bool = always(False)
    evaluationError: str = ""


class SelfSubjectRulesReviewSpec(Part):
    """The namespace in question."""

    namespace: str = ""


class SelfSubjectRulesReview(Object):
    """The question what oneself may do in a namespace."""

    apiVersion: str = always("authorization.k8s.io/v1")
    kind: str = always("SelfSubjectRulesReview")
    spec: SelfSubjectRulesReviewSpec = always(SelfSubjectRulesReviewSpec())
    status: SubjectRulesReviewStatus = always(SubjectRulesReviewStatus())
