"""The life of a container: what the CRI promises."""

from __future__ import annotations

import pytest

from k8slab.node.interfaces import (
    CREATED,
    EXITED,
    RUNNING,
    SANDBOX_NOTREADY,
    ContainerResources,
    ImagePullFailed,
    Process,
    RuntimeFailed,
)
from k8slab.sim import Killed

PAUSE = "registry.k8s.io/pause:3.10.1"


def image(bench, program, **fields):
    bench.registry.image("example.com/mine:v1", **fields)(program)
    return "example.com/mine:v1"


def test_a_container_is_created_then_running_then_exited(bench):
    id = bench.create(PAUSE)
    assert bench.status(id).state == CREATED
    bench.do(bench.containerd.start_container(id))
    assert bench.status(id).state == RUNNING
    assert bench.stop(id).state == EXITED
    assert bench.status(id).exit_code == 0
    assert bench.status(id).reason == "Completed"


@pytest.mark.parametrize(("returned", "code", "reason"), [(None, 0, "Completed"), (3, 3, "Error")])
def test_what_a_program_returns_is_its_exit_code(bench, returned, code, reason):
    async def main(process: Process):
        return returned

    id = bench.start(image(bench, main))
    bench.run(1)
    assert (bench.status(id).exit_code, bench.status(id).reason) == (code, reason)


def test_an_uncaught_exception_is_exit_code_1_with_its_traceback_in_the_log(bench):
    async def main(process: Process):
        raise ValueError("no such colour")

    id = bench.start(image(bench, main))
    bench.run(1)
    assert bench.status(id).exit_code == 1
    lines = bench.log(id).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: no such colour"
    assert "process.py" not in bench.log(id)


def test_a_crash_beside_the_main_task_ends_the_process(bench):
    async def crash():
        raise RuntimeError("thread broke")

    async def main(process: Process):
        process.sim.spawn(crash(), "thread")
        await process.sleep(100)

    id = bench.start(image(bench, main))
    bench.run(1)
    assert bench.status(id).exit_code == 1
    assert "RuntimeError: thread broke" in bench.log(id)


def test_sys_exit_in_a_program_is_its_exit_code(bench):
    async def main(process: Process):
        raise SystemExit(42)

    id = bench.start(image(bench, main))
    bench.run(1)
    assert bench.status(id).exit_code == 42


def test_sigterm_ends_an_unprepared_program_with_143(bench):
    async def main(process: Process):
        await process.sleep(1000)

    id = bench.start(image(bench, main))
    before = bench.sim.now
    assert bench.stop(id, 30).exit_code == 143
    assert bench.sim.now - before < 1


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace_period(bench):
    async def main(process: Process):
        process.handle_sigterm()
        await process.sleep(1000)

    id = bench.start(image(bench, main))
    before = bench.sim.now
    assert bench.stop(id, 30).exit_code == 137
    assert bench.sim.now - before == pytest.approx(30, abs=0.1)


def test_memory_above_the_limit_is_oom_killed(bench):
    async def main(process: Process):
        process.memory = 100 << 20
        await process.sleep(1)
        process.memory = 300 << 20
        await process.sleep(1000)

    id = bench.start(image(bench, main), resources=ContainerResources(memory_limit=200 << 20))
    bench.run(5)
    assert (bench.status(id).exit_code, bench.status(id).reason) == (137, "OOMKilled")


def test_a_cpu_limit_makes_work_take_longer(bench):
    async def main(process: Process):
        await process.compute(0.3)

    id = bench.start(image(bench, main), resources=ContainerResources(cpu_limit=500))
    bench.run(5)
    status = bench.status(id)
    assert status.finished_at - status.started_at == pytest.approx(0.55)


def test_what_a_program_spawned_ends_with_it(bench):
    ended = []

    async def beside(process: Process):
        try:
            await process.sleep(1000)
        except Killed:
            ended.append(process.sim.now)
            raise

    async def main(process: Process):
        process.sim.spawn(beside(process), "beside")
        await process.sleep(1)

    id = bench.start(image(bench, main))
    bench.run(5)
    assert ended == [bench.status(id).finished_at]


def test_a_missing_executable_is_a_start_error_with_code_128(bench):
    id = bench.create("nginx", "ngnix")
    with pytest.raises(RuntimeFailed, match="failed to create containerd task") as caught:
        bench.do(bench.containerd.start_container(id))
    assert caught.value.reason == "RunContainerError"
    assert 'exec: "ngnix": executable file not found in $PATH' in str(caught.value)
    assert (bench.status(id).exit_code, bench.status(id).reason) == (128, "StartError")


def test_exec_in_an_image_without_a_shell_fails_in_runc_s_words(bench):
    id = bench.start(PAUSE)
    with pytest.raises(RuntimeFailed) as caught:
        bench.exec(id, "sh")
    assert (
        "OCI runtime exec failed: exec failed: unable to start container process: "
        'exec: "sh": executable file not found in $PATH'
    ) in str(caught.value)


def test_exec_in_an_exited_container_says_so(bench):
    id = bench.start(PAUSE)
    bench.stop(id)
    with pytest.raises(RuntimeFailed, match="container is in CONTAINER_EXITED state"):
        bench.exec(id, "sh")


def test_the_kubelet_is_told_of_start_and_exit(bench):
    id = bench.start(PAUSE)
    assert bench.told == [bench.sandbox_of(id)]
    bench.stop(id)
    assert bench.told == [bench.sandbox_of(id)] * 2


def test_containers_of_a_pod_share_localhost_and_clash_on_ports(bench):
    async def main(process: Process):
        process.listen(80)
        await process.sleep(1000)

    name = image(bench, main)
    sandbox = bench.sandbox()
    first = bench.start(name, sandbox=sandbox)
    second = bench.start(name, sandbox=sandbox)
    bench.run(1)
    assert bench.status(first).state == RUNNING
    assert bench.status(second).exit_code == 1
    assert "Address already in use" in bench.log(second)


def test_a_dead_container_s_port_is_free_and_refuses(bench):
    async def main(process: Process):
        process.listen(80)
        await process.sleep(1)

    id = bench.start(image(bench, main))
    sandbox = bench.sandbox_of(id)
    bench.run(0.5)
    connection = bench.do(bench.machine.net.connect(bench.ip(sandbox), 80))
    assert connection.established
    bench.run(3)
    with pytest.raises(OSError, match="Connection refused"):
        bench.do(bench.machine.net.connect(bench.ip(sandbox), 80))


def test_a_restart_keeps_the_address(bench):
    sandbox = bench.sandbox()
    ip = bench.ip(sandbox)
    bench.stop(bench.start(PAUSE, sandbox=sandbox))
    bench.start(PAUSE, sandbox=sandbox)
    assert bench.ip(sandbox) == ip
    assert len(bench.containerd.containers(sandbox)) == 2


def test_stopping_a_sandbox_kills_what_runs_and_frees_the_address(bench):
    id = bench.start(PAUSE)
    sandbox = bench.sandbox_of(id)
    bench.do(bench.containerd.stop_pod_sandbox(sandbox))
    assert bench.status(id).exit_code == 137
    assert bench.containerd.sandboxes()[0].state == SANDBOX_NOTREADY
    assert not [name for name in bench.machine.net.interfaces if name.startswith("veth")]
    bench.do(bench.containerd.remove_pod_sandbox(sandbox))
    assert bench.containerd.sandboxes() == []
    assert bench.containerd.containers() == []


def test_a_host_network_pod_uses_the_machine_s_namespace(bench):
    sandbox = bench.sandbox(host_network=True)
    assert bench.containerd.network_of(sandbox) is bench.machine.net


def test_without_a_cni_configuration_no_sandbox_is_made(bench):
    bench.machine.disk.files.clear()
    with pytest.raises(RuntimeFailed, match="cni plugin not initialized"):
        bench.sandbox()
    bench.sandbox(host_network=True)


def test_the_time_of_a_pull_follows_the_size(bench):
    async def main(process: Process):
        return 0

    bench.registry.image("example.com/a:v1", size=100_000_000)(main)
    start = bench.sim.now
    bench.do(bench.containerd.pull_image("example.com/a:v1"))
    assert bench.sim.now - start == pytest.approx(0.4 + 2.0)


async def wait_for(tasks):
    for task in tasks:
        await task


def test_a_killed_pull_lets_the_next_one_go(bench):
    first = bench.sim.spawn(bench.containerd.pull_image("nginx"), "first")
    second = bench.sim.spawn(bench.containerd.pull_image("redis"), "second")
    bench.run(0.1)
    first.kill()
    bench.do(wait_for([second]))
    assert bench.containerd.image_id("redis").startswith("sha256:")
    assert bench.containerd.image_id("nginx") == ""


def test_power_off_ends_everything_at_once(bench):
    id = bench.start(PAUSE)
    bench.containerd.power_off()
    bench.run(1)
    assert (bench.status(id).state, bench.status(id).exit_code) == (EXITED, 255)
    assert bench.containerd.sandboxes()[0].state == SANDBOX_NOTREADY


def test_a_missing_image_cannot_be_pulled(bench):
    with pytest.raises(ImagePullFailed):
        bench.do(bench.containerd.pull_image("ngnix"))


def test_same_seed_same_container_ids(bench):
    other = type(bench)()
    assert bench.start(PAUSE) == other.start(PAUSE)
    assert len(bench.containerd.containers()[0].id) == 64


def test_a_host_port_of_the_pod_is_open_on_the_machine(bench):
    sandbox = bench.sandbox(port_mappings=(("TCP", "", 8080, 80),))
    bench.start("nginx", sandbox=sandbox)
    bench.run(1)
    connection = bench.do(bench.machine.net.connect("172.18.0.3", 8080))
    assert connection.established
    bench.do(bench.containerd.stop_pod_sandbox(sandbox))
    with pytest.raises(OSError, match="refused"):
        bench.do(bench.machine.net.connect("172.18.0.3", 8080))


def test_a_group_that_is_killed_from_outside_counts_as_sigkill(bench):
    id = bench.start(PAUSE)
    bench.containerd.process_of(id).group.kill()
    bench.run(1)
    assert (bench.status(id).exit_code, bench.status(id).reason) == (137, "Error")
