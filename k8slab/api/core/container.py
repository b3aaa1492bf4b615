"""One container of a Pod.

Interface: ``Container`` (also for init containers) and ``EphemeralContainer``. Everything here is
what the user asked for; what became of it is in ``pod_status``.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.core.probe import Lifecycle, Probe
from k8slab.api.core.resources import ResourceRequirements
from k8slab.api.core.security import SecurityContext
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, always


class ConfigMapEnvSource(Part):
    """All keys of a ConfigMap as environment variables."""

    name: str = ""
    optional: bool | None = None


class SecretEnvSource(Part):
    """All keys of a Secret as environment variables."""

    name: str = ""
    optional: bool | None = None


class EnvFromSource(Part):
    """Where to take many environment variables from."""

    configMapRef: ConfigMapEnvSource | None = None
    prefix: str = ""
    secretRef: SecretEnvSource | None = None


class ConfigMapKeySelector(Part):
    """One key of a ConfigMap."""

    name: str = ""
    key: str = always("")
    optional: bool | None = None


class SecretKeySelector(Part):
    """One key of a Secret."""

    name: str = ""
    key: str = always("")
    optional: bool | None = None


class ObjectFieldSelector(Part):
    """A field of the Pod itself."""

    fieldPath: str = always("")
    apiVersion: str = ""


class ResourceFieldSelector(Part):
    """A request or limit of a container, divided by a unit."""

    resource: str = always("")
    containerName: str = ""
    divisor: Quantity = always("0")


class FileKeySelector(Part):
    """One key of a file of variables in a volume."""

    key: str = always("")
    path: str = always("")
    volumeName: str = always("")
    optional: bool | None = None


class EnvVarSource(Part):
    """Where to take the value of an environment variable from."""

    configMapKeyRef: ConfigMapKeySelector | None = None
    fieldRef: ObjectFieldSelector | None = None
    fileKeyRef: FileKeySelector | None = None
    resourceFieldRef: ResourceFieldSelector | None = None
    secretKeyRef: SecretKeySelector | None = None


class EnvVar(Part):
    """One environment variable."""

    name: str = always("")
    value: str = ""
    valueFrom: EnvVarSource | None = None


class ContainerPort(Part):
    """A port that the container says it listens on; listing it opens nothing."""

    name: str = ""
    containerPort: int = always(0)
    hostIP: str = ""
    hostPort: int = 0
    protocol: str = ""


class ContainerResizePolicy(Part):
    """Whether a change of a resource restarts the container."""

    resourceName: str = always("")
    restartPolicy: str = always("")


class ContainerRestartRuleOnExitCodes(Part):
    """Exit codes that a restart rule matches."""

    operator: str = always("")
    values: tuple[int, ...] = ()


class ContainerRestartRule(Part):
    """What to do when the container exits in a certain way."""

    action: str = always("")
    exitCodes: ContainerRestartRuleOnExitCodes | None = None


class VolumeDevice(Part):
    """A raw block device of the Pod, made visible in the container."""

    name: str = always("")
    devicePath: str = always("")


class VolumeMount(Part):
    """A volume of the Pod, made visible in the container at a path."""

    name: str = always("")
    mountPath: str = always("")
    bindMountOptions: tuple[str, ...] = ()
    mountPropagation: str | None = None
    readOnly: bool = False
    recursiveReadOnly: str | None = None
    subPath: str = ""
    subPathExpr: str = ""


class Container(Part):
    """A process with its own root file system: image, command, ports, probes, resources."""

    name: str = always("")
    args: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    envFrom: tuple[EnvFromSource, ...] = ()
    image: str = ""
    imagePullPolicy: str = ""
    lifecycle: Lifecycle | None = None
    livenessProbe: Probe | None = None
    ports: tuple[ContainerPort, ...] = ()
    readinessProbe: Probe | None = None
    resizePolicy: tuple[ContainerResizePolicy, ...] = ()
    resources: ResourceRequirements = always(ResourceRequirements())
    restartPolicy: str | None = None
    restartPolicyRules: tuple[ContainerRestartRule, ...] = ()
    securityContext: SecurityContext | None = None
    startupProbe: Probe | None = None
    stdin: bool = False
    stdinOnce: bool = False
    terminationMessagePath: str = ""
    terminationMessagePolicy: str = ""
    tty: bool = False
    volumeDevices: tuple[VolumeDevice, ...] = ()
    volumeMounts: tuple[VolumeMount, ...] = ()
    workingDir: str = ""


class EphemeralContainer(Container):
    """A container added to a running Pod to look around in it."""

    targetContainerName: str = ""
