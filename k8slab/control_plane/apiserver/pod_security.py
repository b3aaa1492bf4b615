"""Pod Security Standards: what Pods of a namespace may do to their node.

    pod-security.kubernetes.io/enforce: baseline      Pods that break it are refused
    pod-security.kubernetes.io/warn: restricted       whoever makes them, or a template, is warned

`privileged` allows everything, `baseline` what is not known to be dangerous, `restricted` what a
careful program needs.

Rule of use: `violations(level, spec)` is pure; the labels are read by admission.

Upstream: staging/src/k8s.io/pod-security-admission
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from k8slab.api.core import Container, EphemeralContainer, PodSpec

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
ADDABLE = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SYSCTLS = frozenset(
    [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    ]
)
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
ADD = "securityContext.capabilities.add"
SECCOMP = ("RuntimeDefault", "Localhost")
AnyContainer = Container | EphemeralContainer
Check = Callable[[PodSpec], str]


def violations(level: str, spec: PodSpec) -> list[str]:
    """Return what of a level the Pod breaks, in upstream's words and order."""
    checks = {"privileged": (), "baseline": BASELINE, "restricted": RESTRICTED}[level]
    return [text for check in checks if (text := check(spec))]


def sentence(level: str, version: str, spec: PodSpec) -> str:
    """Return all that the Pod breaks as one sentence, "" if it breaks nothing."""
    found = violations(level, spec)
    return f'violates PodSecurity "{level}:{version}": {", ".join(found)}' if found else ""


def containers_of(spec: PodSpec) -> Iterator[AnyContainer]:
    """Yield all containers of a Pod."""
    yield from spec.initContainers
    yield from spec.containers
    yield from spec.ephemeralContainers


def named(kind: str, names: Sequence[str]) -> str:
    """Name some things of a kind: 'container "a"', 'containers "a", "b"'."""
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"{kind}{'s' if len(names) > 1 else ''} {quoted}"


def _bad(spec: PodSpec, is_bad: Callable[[AnyContainer], object]) -> list[str]:
    return [container.name for container in containers_of(spec) if is_bad(container)]


def _all(title: str, parts: Sequence[str], between: str = ", ") -> str:
    found = [part for part in parts if part]
    return f"{title} ({between.join(found)})" if found else ""


# -- baseline


def _apparmor(spec: PodSpec) -> str:
    def unconfined(context: object) -> bool:
        profile = getattr(context, "appArmorProfile", None)
        return profile is not None and profile.type == "Unconfined"

    setters = ["pod"] if unconfined(spec.securityContext) else []
    bad = _bad(spec, lambda c: unconfined(c.securityContext))
    setters += [named("container", bad)] if bad else []
    text = f'{" and ".join(setters)} must not set AppArmor profile type to "Unconfined"'
    return _all("forbidden AppArmor profile", [text if setters else ""])


def _added(container: AnyContainer) -> tuple[str, ...]:
    context = container.securityContext
    return context.capabilities.add if context is not None and context.capabilities else ()


def _capabilities(spec: PodSpec) -> str:
    bad = _bad(spec, lambda c: set(_added(c)) - ADDABLE)
    extra = sorted({each: None for c in containers_of(spec) for each in _added(c)})
    quoted = ", ".join(f'"{each}"' for each in extra if each not in ADDABLE)
    text = f"{named('container', bad)} must not include {quoted} in {ADD}"
    return _all("non-default capabilities", [text if bad else ""])


def _namespaces(spec: PodSpec) -> str:
    fields = ("hostNetwork", "hostPID", "hostIPC")
    return _all("host namespaces", [f"{name}=true" for name in fields if getattr(spec, name)])


def _host_path(spec: PodSpec) -> str:
    bad = [volume.name for volume in spec.volumes if volume.hostPath is not None]
    return _all("hostPath volumes", [named("volume", bad) if bad else ""])


def _host_ports(spec: PodSpec) -> str:
    bad = _bad(spec, lambda c: any(port.hostPort for port in c.ports))
    ports = sorted({p.hostPort: None for c in containers_of(spec) for p in c.ports if p.hostPort})
    many = "s" if len(ports) > 1 else ""
    uses = "uses" if len(bad) == 1 else "use"
    numbers = ", ".join(str(port) for port in ports)
    text = f"{named('container', bad)} {uses} hostPort{many} {numbers}"
    return _all("hostPort", [text if bad else ""])


def _privileged(spec: PodSpec) -> str:
    bad = _bad(spec, lambda c: c.securityContext is not None and c.securityContext.privileged)
    text = f"{named('container', bad)} must not set securityContext.privileged=true"
    return _all("privileged", [text if bad else ""])


def _proc_mount(spec: PodSpec) -> str:
    def unmasked(container: AnyContainer) -> bool:
        context = container.securityContext
        return context is not None and context.procMount not in (None, "Default")

    bad = _bad(spec, unmasked)
    text = f'{named("container", bad)} must not set securityContext.procMount to "Unmasked"'
    return _all("procMount", [text if bad else ""])


def _selinux(spec: PodSpec) -> str:
    def wrong(context: object) -> bool:
        options = getattr(context, "seLinuxOptions", None)
        if options is None:
            return False
        return bool(options.user or options.role) or options.type not in SELINUX_TYPES

    setters = ["pod"] if wrong(spec.securityContext) else []
    bad = _bad(spec, lambda c: wrong(c.securityContext))
    setters += [named("container", bad)] if bad else []
    text = f"{' and '.join(setters)} set forbidden securityContext.seLinuxOptions"
    return _all("seLinuxOptions", [text if setters else ""])


def _seccomp_type(context: object) -> str:
    profile = getattr(context, "seccompProfile", None)
    return str(profile.type) if profile is not None else ""


def _seccomp(spec: PodSpec) -> str:
    setters = ["pod"] if _seccomp_type(spec.securityContext) == "Unconfined" else []
    bad = _bad(spec, lambda c: _seccomp_type(c.securityContext) == "Unconfined")
    setters += [named("container", bad)] if bad else []
    field = "securityContext.seccompProfile.type"
    text = f'{" and ".join(setters)} must not set {field} to "Unconfined"'
    return _all("seccompProfile", [text if setters else ""])


def _sysctls(spec: PodSpec) -> str:
    found = spec.securityContext.sysctls if spec.securityContext is not None else ()
    return _all("forbidden sysctls", [each.name for each in found if each.name not in SYSCTLS])


# -- restricted


def _escalation(spec: PodSpec) -> str:
    def may(container: AnyContainer) -> bool:
        context = container.securityContext
        return context is None or context.allowPrivilegeEscalation is not False

    bad = _bad(spec, may)
    text = f"{named('container', bad)} must set securityContext.allowPrivilegeEscalation=false"
    return _all("allowPrivilegeEscalation != false", [text if bad else ""])


def _unrestricted(spec: PodSpec) -> str:
    def keeps(container: AnyContainer) -> bool:
        context = container.securityContext
        dropped = context.capabilities.drop if context and context.capabilities else ()
        return "ALL" not in dropped

    missing = _bad(spec, keeps)
    bad = _bad(spec, lambda c: set(_added(c)) - {"NET_BIND_SERVICE"})
    extra = sorted({each: None for c in containers_of(spec) for each in _added(c)})
    quoted = ", ".join(f'"{each}"' for each in extra if each != "NET_BIND_SERVICE")
    drop = f'{named("container", missing)} must set securityContext.capabilities.drop=["ALL"]'
    add = f"{named('container', bad)} must not include {quoted} in {ADD}"
    return _all("unrestricted capabilities", [drop if missing else "", add if bad else ""], "; ")


def _volume_types(spec: PodSpec) -> str:
    bad: list[str] = []
    types: dict[str, None] = {}
    for volume in spec.volumes:
        fields = [f for f in volume.__struct_fields__ if f != "name"]
        kind = next((field for field in fields if getattr(volume, field) is not None), "emptyDir")
        if kind not in VOLUMES:
            bad.append(volume.name)
            types[kind] = None
    many = "s" if len(types) > 1 else ""
    use = "uses" if len(bad) == 1 else "use"
    quoted = ", ".join(f'"{kind}"' for kind in sorted(types))
    text = f"{named('volume', bad)} {use} restricted volume type{many} {quoted}"
    return _all("restricted volume types", [text if bad else ""])


def _non_root(spec: PodSpec) -> str:
    own = spec.securityContext.runAsNonRoot if spec.securityContext is not None else None

    def of(container: AnyContainer) -> bool | None:
        return container.securityContext.runAsNonRoot if container.securityContext else None

    false = _bad(spec, lambda c: of(c) is False)
    silent = _bad(spec, lambda c: of(c) is None)
    parts = []
    if own is False and silent:
        parts.append("pod must not set securityContext.runAsNonRoot=false")
    if false:
        parts.append(f"{named('container', false)} must not set securityContext.runAsNonRoot=false")
    if not parts and silent and own is None:
        who = named("container", silent)
        parts.append(f"pod or {who} must set securityContext.runAsNonRoot=true")
    return _all("runAsNonRoot != true", parts)


def _root(spec: PodSpec) -> str:
    own = spec.securityContext.runAsUser if spec.securityContext is not None else None
    bad = _bad(spec, lambda c: c.securityContext is not None and c.securityContext.runAsUser == 0)
    setters = ["pod"] if own == 0 else []
    setters += [named("container", bad)] if bad else []
    text = f"{' and '.join(setters)} must not set runAsUser=0"
    return _all("runAsUser=0", [text if setters else ""])


def _seccomp_set(spec: PodSpec) -> str:
    own = _seccomp_type(spec.securityContext)
    field = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    wrong = _bad(spec, lambda c: _seccomp_type(c.securityContext) not in ("", *SECCOMP))
    silent = _bad(spec, lambda c: not _seccomp_type(c.securityContext))
    parts = []
    if own not in ("", *SECCOMP) and silent:
        parts.append(f"pod must set {field}")
    if wrong:
        parts.append(f"{named('container', wrong)} must set {field}")
    if not parts and silent and not own:
        parts.append(f"pod or {named('container', silent)} must set {field}")
    return _all("seccompProfile", parts)


# In the order of the names of the checks; a stricter form takes the place of the other.
BASELINE: tuple[Check, ...] = (
    _apparmor,
    _capabilities,
    _namespaces,
    _host_path,
    _host_ports,
    _privileged,
    _proc_mount,
    _selinux,
    _seccomp,
    _sysctls,
)
RESTRICTED: tuple[Check, ...] = (
    _apparmor,
    _namespaces,
    _host_ports,
    _privileged,
    _proc_mount,
    _selinux,
    _sysctls,
    _escalation,
    _unrestricted,
    _volume_types,
    _non_root,
    _root,
    _seccomp_set,
)
