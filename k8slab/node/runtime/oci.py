"""What containerd and runc say when they refuse, and what a process starts with.

Rule of use: words only; nothing here decides.

Upstream: containerd internal/cri/server, runc libcontainer
"""

from __future__ import annotations

from k8slab.node.image_reference import parse_reference
from k8slab.node.interfaces import ContainerConfig, PodSandboxConfig
from k8slab.node.runtime.images.image import PATH, Image


def environment(image: Image, config: ContainerConfig, sandbox: PodSandboxConfig) -> dict[str, str]:
    """Return the environment of a container's main process."""
    home = "/root" if not (config.run_as_user or image.user) else "/"
    hostname = sandbox.hostname or sandbox.name
    return {"PATH": PATH, "HOSTNAME": hostname, **image.env, **config.env, "HOME": home}


def missing_executable(name: str) -> str:
    """Return why an executable cannot be run.

    >>> missing_executable("bash")
    'exec: "bash": executable file not found in $PATH'
    """
    if not name:
        return "no command specified"
    why = f"stat {name}: no such file or directory" if "/" in name else None
    return f'exec: "{name}": {why or "executable file not found in $PATH"}'


def cannot_start(executable: str) -> str:
    """Return what start_container says about an executable that is not there."""
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
        "runc create failed: unable to start container process: error during container init: "
        f"{missing_executable(executable)}: unknown"
    )


def cannot_exec(executable: str, exec_id: str) -> str:
    """Return what exec_sync says about an executable that is not there."""
    return (
        f'failed to exec in container: failed to start exec "{exec_id}": OCI runtime exec failed: '
        f"exec failed: unable to start container process: {missing_executable(executable)}: unknown"
    )


def exec_not_running(state: str) -> str:
    """Return what exec_sync says about a container that does not run."""
    return f"failed to exec in container: container is in CONTAINER_{state} state"


def no_handler(name: str) -> str:
    """Return what run_pod_sandbox says about a runtime handler that is not configured."""
    return (
        "rpc error: code = Unknown desc = failed to get sandbox runtime: "
        f'no runtime for "{name}" is configured'
    )


def network_not_ready(sandbox_id: str) -> str:
    """Return what run_pod_sandbox says before the CNI has a configuration."""
    return (
        "rpc error: code = Unknown desc = failed to setup network for sandbox "
        f'"{sandbox_id}": cni plugin not initialized'
    )


def no_sandbox(sandbox_id: str) -> str:
    """Return what create_container says without a sandbox."""
    return f'failed to find sandbox id "{sandbox_id}": not found'


def no_image(image: str) -> str:
    """Return what create_container says without an image."""
    return f'failed to resolve image "{parse_reference(image)}": not found'


def no_container(container_id: str) -> str:
    """Return what is said of a container that nobody knows."""
    return f'an error occurred when try to find container "{container_id}": not found'


def below_usage(container: str, limit: int, usage: int) -> str:
    """Return why a memory limit cannot be lowered."""
    return (
        f'attempting to set container "{container}" memory limit ({limit}) '
        f"below current usage ({usage})"
    )


def still_running(container_id: str) -> str:
    """Return what remove_container says about a running container."""
    return f'failed to set removing state for container "{container_id}": container is running'
