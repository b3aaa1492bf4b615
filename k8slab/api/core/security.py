"""As whom, and with which rights, a container runs.

Interface: ``PodSecurityContext`` for the whole Pod, ``SecurityContext`` for one container; the
container's value wins. The lab stores these and enforces none of them.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.struct import Part, always


class AppArmorProfile(Part):
    """The AppArmor profile of a process."""

    type: str = always("")
    localhostProfile: str | None = None


class Capabilities(Part):
    """POSIX capabilities added to and dropped from a process."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


class SELinuxOptions(Part):
    """SELinux labels of a process."""

    type: str = ""
    level: str = ""
    role: str = ""
    user: str = ""


class SeccompProfile(Part):
    """The system calls that a process may make."""

    type: str = always("")
    localhostProfile: str | None = None


class WindowsSecurityContextOptions(Part):
    """Settings that exist on Windows only."""

    gmsaCredentialSpec: str | None = None
    gmsaCredentialSpecName: str | None = None
    hostProcess: bool | None = None
    runAsUserName: str | None = None


class Sysctl(Part):
    """A kernel parameter of the Pod's namespaces."""

    name: str = always("")
    value: str = always("")


class SecurityContext(Part):
    """Rights of one container."""

    allowPrivilegeEscalation: bool | None = None
    appArmorProfile: AppArmorProfile | None = None
    capabilities: Capabilities | None = None
    privileged: bool | None = None
    procMount: str | None = None
    readOnlyRootFilesystem: bool | None = None
    runAsGroup: int | None = None
    runAsNonRoot: bool | None = None
    runAsUser: int | None = None
    seLinuxOptions: SELinuxOptions | None = None
    seccompProfile: SeccompProfile | None = None
    windowsOptions: WindowsSecurityContextOptions | None = None


class PodSecurityContext(Part):
    """Rights of all containers of a Pod, and the owner of its volumes."""

    appArmorProfile: AppArmorProfile | None = None
    fsGroup: int | None = None
    fsGroupChangePolicy: str | None = None
    runAsGroup: int | None = None
    runAsNonRoot: bool | None = None
    runAsUser: int | None = None
    seLinuxChangePolicy: str | None = None
    seLinuxOptions: SELinuxOptions | None = None
    seccompProfile: SeccompProfile | None = None
    supplementalGroups: tuple[int, ...] = ()
    supplementalGroupsPolicy: str | None = None
    sysctls: tuple[Sysctl, ...] = ()
    windowsOptions: WindowsSecurityContextOptions | None = None
