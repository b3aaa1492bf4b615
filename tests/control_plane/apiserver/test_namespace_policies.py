"""What a namespace makes of Pods: defaults and bounds, standards, quotas that grow."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH, STRATEGIC_PATCH, Notes
from k8slab.control_plane.apiserver.pod_security import LEVELS, violations

PREFIX = "pod-security.kubernetes.io/"


def limit_range(lab: Any, **item: Any) -> None:
    item.setdefault("type", "Container")
    spec = {"limits": [item]}
    meta = {"name": "bounds"}
    lab.create({"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": spec})


def with_resources(manifest: dict[str, Any], **resources: Any) -> dict[str, Any]:
    manifest["spec"]["containers"][0]["resources"] = resources
    return manifest


def refused(lab: Any, manifest: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as found:
        lab.create(manifest)
    assert found.value.reason == "Forbidden"
    return found.value.message


def test_a_container_that_asks_for_nothing_gets_the_defaults(lab: Any, pod: Any) -> None:
    limit_range(lab, default={"cpu": "500m", "memory": "1Gi"}, defaultRequest={"cpu": "100m"})
    made = lab.create(pod())
    (container,) = made.spec.containers
    assert container.resources.requests == {"cpu": "100m", "memory": "1Gi"}
    assert container.resources.limits == {"cpu": "500m", "memory": "1Gi"}
    assert made.metadata.annotations["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container web; "
        "cpu, memory limit for container web"
    )


@pytest.mark.parametrize(
    ("item", "resources", "text"),
    [
        (
            {"min": {"cpu": "100m"}},
            {"requests": {"cpu": "50m"}},
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"max": {"memory": "1Gi"}, "type": "Pod"},
            {},
            "maximum memory usage per Pod is 1Gi.  No limit is specified",
        ),
        (
            {"max": {"cpu": "1"}, "type": "Pod"},
            {"limits": {"cpu": "2"}},
            "maximum cpu usage per Pod is 1, but limit is 2",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "100m"}, "limits": {"cpu": "300m"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
    ],
)
def test_bounds_are_kept(lab: Any, pod: Any, item: Any, resources: Any, text: str) -> None:
    limit_range(lab, **item)
    assert refused(lab, with_resources(pod(), **resources)) == f'pods "web" is forbidden: {text}'


def test_claims_have_bounds_too(lab: Any) -> None:
    limit_range(lab, type="PersistentVolumeClaim", max={"storage": "1Gi"})
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}},
    }
    assert refused(lab, claim).endswith(
        "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi"
    )


def standard(lab: Any, mode: str, level: str) -> None:
    labels = {"metadata": {"labels": {f"{PREFIX}{mode}": level}}}
    lab.patch("Namespace", "default", labels, MERGE_PATCH)


def test_a_pod_that_breaks_the_level_is_refused(lab: Any, pod: Any) -> None:
    standard(lab, "enforce", "restricted")
    assert refused(lab, pod()) == (
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": '
        'allowPrivilegeEscalation != false (container "web" must set '
        "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "
        '"web" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or '
        'container "web" must set securityContext.runAsNonRoot=true), seccompProfile (pod or '
        'container "web" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
        '"Localhost")'
    )


def test_a_careful_pod_passes_the_strictest_level(lab: Any, pod: Any) -> None:
    standard(lab, "enforce", "restricted")
    manifest = pod()
    manifest["spec"]["securityContext"] = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    manifest["spec"]["containers"][0]["securityContext"] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    }
    assert lab.create(manifest).metadata.uid


def test_templates_are_warned_of_and_not_refused(lab: Any, pod: Any) -> None:
    standard(lab, "warn", "baseline")
    standard(lab, "enforce", "baseline")
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {**pod()["spec"], "hostNetwork": True}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    notes = Notes()
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    lab.create({**manifest, "spec": spec}, notes=notes)
    assert notes.warnings == [
        'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
    ]


@pytest.mark.parametrize(
    ("spec", "context", "text"),
    [
        ({"hostPID": True}, {}, "host namespaces (hostPID=true)"),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            {},
            'hostPath volumes (volume "v")',
        ),
        (
            {},
            {"privileged": True},
            'privileged (container "web" must not set securityContext.privileged=true)',
        ),
        (
            {},
            {"capabilities": {"add": ["SYS_TIME", "CHOWN"]}},
            'non-default capabilities (container "web" must not include "SYS_TIME" in '
            "securityContext.capabilities.add)",
        ),
        (
            {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
            {},
            "forbidden sysctls (kernel.msgmax)",
        ),
    ],
)
def test_what_the_baseline_forbids(pod: Any, spec: Any, context: Any, text: str) -> None:
    manifest = pod()
    manifest["spec"].update(spec)
    manifest["spec"]["containers"][0]["securityContext"] = context
    found: Any = load(manifest)
    assert violations("baseline", found.spec) == [text]
    counts = [len(violations(level, found.spec)) for level in LEVELS]
    assert counts == sorted(counts)


def test_a_change_that_needs_more_asks_the_quota(lab: Any, pod: Any) -> None:
    meta = {"name": "q"}
    spec = {"hard": {"requests.cpu": "1"}}
    lab.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec})
    status = {"status": {"hard": spec["hard"], "used": {"requests.cpu": "0"}}}
    lab.patch("ResourceQuota", "q", status, MERGE_PATCH, subresource="status")
    lab.create(with_resources(pod(), requests={"cpu": "500m"}))

    def resize(cpu: str) -> None:
        one = {"name": "web", "resources": {"requests": {"cpu": cpu}}}
        patch = {"spec": {"containers": [one]}}
        lab.patch("Pod", "web", patch, STRATEGIC_PATCH, subresource="resize")

    resize("800m")
    assert lab.get("ResourceQuota", "q").status.used == {"requests.cpu": "800m"}
    with pytest.raises(ApiError, match="exceeded quota: q, requested: requests"):
        resize("1200m")
