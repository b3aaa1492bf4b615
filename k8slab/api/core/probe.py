"""What the kubelet does to a container to ask how it is.

Interface: ``Probe`` and ``Lifecycle``. Exactly one handler of a probe or hook may be set. All
times are whole seconds, 0 means the default.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from k8slab.api.struct import Part, always


class ExecAction(Part):
    """Run a command in the container; exit code 0 is success."""

    command: tuple[str, ...] = ()


class GRPCAction(Part):
    """Ask the gRPC health service on a port."""

    port: int = always(0)
    mode: str | None = None
    service: str | None = None


class HTTPHeader(Part):
    """One header of a probe's request."""

    name: str = always("")
    value: str = always("")


class HTTPGetAction(Part):
    """Send a GET; a status from 200 to 399 is success."""

    port: int | str = always(0)
    host: str = ""
    httpHeaders: tuple[HTTPHeader, ...] = ()
    path: str = ""
    protocol: str | None = None
    scheme: str = ""


class SleepAction(Part):
    """Wait for some seconds."""

    seconds: int = always(0)


class TCPSocketAction(Part):
    """Open a connection; being accepted is success."""

    port: int | str = always(0)
    host: str = ""


class Probe(Part):
    """How and how often to ask, and how many equal answers change the verdict."""

    exec: ExecAction | None = None
    failureThreshold: int = 0
    grpc: GRPCAction | None = None
    httpGet: HTTPGetAction | None = None
    initialDelaySeconds: int = 0
    periodSeconds: int = 0
    successThreshold: int = 0
    tcpSocket: TCPSocketAction | None = None
    terminationGracePeriodSeconds: int | None = None
    timeoutSeconds: int = 0


class LifecycleHandler(Part):
    """What a hook does."""

    exec: ExecAction | None = None
    httpGet: HTTPGetAction | None = None
    sleep: SleepAction | None = None
    tcpSocket: TCPSocketAction | None = None


class Lifecycle(Part):
    """Hooks after the start and before the stop of a container, and its stop signal."""

    postStart: LifecycleHandler | None = None
    preStop: LifecycleHandler | None = None
    stopSignal: str | None = None
