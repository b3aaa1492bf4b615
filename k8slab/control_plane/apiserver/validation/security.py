"""Validation of security contexts: the basics that a lab's manifests use.

Upstream: pkg/apis/core/validation/validation.go (ValidateSecurityContext)
"""

from __future__ import annotations

import re

from k8slab.api.core import (
    AppArmorProfile,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecurityContext,
)
from k8slab.api.errors import (
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)
from k8slab.control_plane.apiserver.validation.formats import MAX_ID, Errors, each, in_range
from k8slab.control_plane.apiserver.validation.mounts import local_descending_path

PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
SYSCTL = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
# What a Pod that does not use the host's users may not share with the host either.
NAMESPACES = (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC"))


def container(path: str, context: SecurityContext) -> Errors:
    """Yield what is wrong with the rights of one container."""
    for field in ("runAsUser", "runAsGroup"):
        value = getattr(context, field)
        if value is not None:
            yield from each(f"{path}.{field}", value, in_range(value, 0, MAX_ID))
    if context.procMount not in (None, "Default", "Unmasked"):
        yield not_supported(f"{path}.procMount", context.procMount, ("Default", "Unmasked"))
    yield from _seccomp(f"{path}.seccompProfile", context.seccompProfile)
    yield from _app_armor(f"{path}.appArmorProfile", context.appArmorProfile)
    if context.allowPrivilegeEscalation is False:
        if context.privileged:
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid_value(path, context, text)
        if context.capabilities and "CAP_SYS_ADMIN" in context.capabilities.add:
            text = (
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` "
                "CAP_SYS_ADMIN"
            )
            yield invalid_value(path, context, text)


def pod(path: str, spec: PodSpec) -> Errors:
    """Yield what is wrong with the rights of a Pod."""
    context = spec.securityContext
    where = f"{path}.securityContext"
    if context is not None and context != PodSecurityContext():
        yield from _pod_context(where, context)
    if spec.shareProcessNamespace and spec.hostPID:
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid_value(f"{where}.shareProcessNamespace", True, text)


def host_users(path: str, spec: PodSpec) -> Errors:
    """Yield an error for each namespace of the host in a Pod with users of its own."""
    if spec.hostUsers is not False:
        return
    for field, called in NAMESPACES:
        if getattr(spec, field):
            yield forbidden_field(f"{path}.{called}", "when `pod.Spec.HostUsers` is false")


def _pod_context(path: str, context: PodSecurityContext) -> Errors:
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        value = getattr(context, field)
        if value is not None:
            yield from each(f"{path}.{field}", value, in_range(value, 0, MAX_ID))
    for index, group in enumerate(context.supplementalGroups):
        reasons = in_range(group, 0, MAX_ID)
        yield from each(f"{path}.supplementalGroups[{index}]", group, reasons)
    yield from _sysctls(f"{path}.sysctls", context)
    for field, supported in (
        ("fsGroupChangePolicy", ("Always", "OnRootMismatch")),
        ("supplementalGroupsPolicy", ("Merge", "Strict")),
        ("seLinuxChangePolicy", ("MountOption", "Recursive")),
    ):
        value = getattr(context, field)
        if value is not None and value not in supported:
            yield not_supported(f"{path}.{field}", value, supported)
    yield from _seccomp(f"{path}.seccompProfile", context.seccompProfile)
    yield from _app_armor(f"{path}.appArmorProfile", context.appArmorProfile)


def _sysctls(path: str, context: PodSecurityContext) -> Errors:
    seen: list[str] = []
    for index, sysctl in enumerate(context.sysctls):
        where = f"{path}[{index}].name"
        if not sysctl.name:
            yield required(where)
        elif len(sysctl.name) > 253 or not re.fullmatch(SYSCTL, sysctl.name):
            text = f"must have at most 253 characters and match regex ^{SYSCTL}$"
            yield invalid_value(where, sysctl.name, text)
        elif sysctl.name in seen:
            yield duplicate(where, sysctl.name)
        seen.append(sysctl.name)


def _seccomp(path: str, profile: SeccompProfile | None) -> Errors:
    if profile is None:
        return
    if not profile.type:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    elif profile.type not in PROFILE_TYPES:
        yield not_supported(f"{path}.type", profile.type, PROFILE_TYPES)
    where = f"{path}.localhostProfile"
    if profile.type != "Localhost":
        if profile.localhostProfile is not None:
            text = "can only be set when seccomp type is Localhost"
            yield invalid_value(where, profile, text)
    elif profile.localhostProfile is None:
        yield required(where, "must be set when seccomp type is Localhost")
    else:
        yield from local_descending_path(where, profile.localhostProfile)


def _app_armor(path: str, profile: AppArmorProfile | None) -> Errors:
    if profile is None:
        return
    where = f"{path}.localhostProfile"
    local = profile.localhostProfile
    if not profile.type:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif profile.type not in PROFILE_TYPES:
        yield not_supported(f"{path}.type", profile.type, PROFILE_TYPES)
    elif profile.type != "Localhost":
        if local is not None:
            text = "can only be set when AppArmor type is Localhost"
            yield invalid_value(where, local, text)
    elif not local or not local.strip():
        yield required(where, "must be set when AppArmor type is Localhost")
    elif local != local.strip():
        yield invalid_value(where, local, "must not be padded with whitespace")
