"""One more process in a running container: `kubectl exec`, and exec probes.

It has the environment of the main process and its own tasks and sockets; all of them end with it,
when its time is over, or with the container.

Rule of use: `run` returns the exit code, 124 if the time was not enough.

Upstream: containerd internal/cri/server/container_execsync.go
"""

from __future__ import annotations

from k8slab.node.interfaces import Program, Streams
from k8slab.node.runtime.container import SIGKILL_CODE, Container
from k8slab.node.runtime.process import Process
from k8slab.sim import Group, Signal

TIMEOUT_CODE = 124


async def run(
    container: Container,
    program: Program,
    command: tuple[str, ...],
    timeout: float,
    streams: Streams,
) -> int:
    """Run a program beside the main process for at most `timeout` seconds (0: no limit)."""
    sim, err = container.sandbox.net.sim, streams.stderr
    group = Group(f"{container.group.name}: exec", lambda error: err.write(f"{error}\n"))
    assert container.main_process is not None
    env = container.main_process.env
    process = Process(container, command, env, (streams.stdin, streams.stdout, err), group)
    container.exec_groups[group] = None
    task = sim.spawn(process.run(program), group.name, group)
    done = Signal(sim, group.name)
    task.on_done(done.set)
    try:
        in_time = await done.wait(timeout or None)
    finally:
        group.kill()
        container.sandbox.net.close_owned_by(group)
        container.exec_groups.pop(group, None)
        container.end(process.pid)
    return (SIGKILL_CODE if task._result is None else task._result) if in_time else TIMEOUT_CODE
