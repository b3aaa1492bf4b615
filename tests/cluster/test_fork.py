from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.cluster.fork import ReplayError
from tests.cluster.conftest import WEB, create


@pytest.fixture
def run() -> Cluster:
    """Return a run with something of everything in it."""
    cluster = Cluster(workers=2, seed=3)
    cluster.apply(WEB)
    cluster.run_until("deployment/web available")
    cluster.run_until("pod/client ready")
    cluster.kill("kube-scheduler")
    cluster.kubectl("delete pod ghost")
    cluster.request("pod/client", "http://web")
    cluster.partition("worker-1")
    cluster.run(50)
    cluster.heal("worker-1")
    cluster.node("worker-2").shell("ping -c 1 192.168.10.10")
    cluster.step()
    return cluster


def test_a_fork_without_a_change_equals_its_parent(run: Cluster) -> None:
    child = run.fork()
    assert child.trace.digest() == run.trace.digest()
    assert (child.now, child.sim.events) == (run.now, run.sim.events)
    run.run(30)
    child.run(30)
    assert child.trace.digest() == run.trace.digest()


@pytest.mark.parametrize("at", [0.4, 1.3, 14.1, 16.0, 20.0, 40.0])
def test_a_fork_of_any_moment_has_the_same_past_and_its_own_future(run: Cluster, at: float) -> None:
    child = run.fork(at)
    past = list(run.trace)[: len(child.trace)]
    assert list(child.trace) == past
    assert len(past) == run.trace.until(at)
    assert child.now == at
    before = run.trace.digest()
    child.run(10)
    assert run.trace.digest() == before


def test_what_was_done_at_that_very_moment_has_not_been_done(run: Cluster) -> None:
    moment = run.now
    run.kubectl("delete deployment web")
    child = run.fork(moment)
    assert child.view.get("deployment", "web") is not None
    assert child.diff(run).time >= moment  # type: ignore[operator]


def test_a_command_that_was_going_on_goes_on_in_the_fork(run: Cluster) -> None:
    began = run.now
    run.kubectl("delete pod client --grace-period=5")
    child = run.fork((began + run.now) / 2)
    assert child.view.get(Pod, "client") is not None
    assert child.fork().trace.digest() == child.trace.digest()
    child.run(20)
    assert child.view.get(Pod, "client") is None
    assert child.fork().trace.digest() == child.trace.digest()


def test_files_are_read_as_they_were(tmp_path: Path) -> None:
    cluster = Cluster(workers=1)
    path = tmp_path / "web.yaml"
    path.write_text(WEB)
    cluster.kubectl(f"apply -f {path}")
    cluster.kubectl(f"apply -f {tmp_path}/ghost.yaml")
    path.unlink()
    assert cluster.fork().trace.digest() == cluster.trace.digest()


def test_an_image_of_ones_own_is_there_in_the_fork() -> None:
    cluster = Cluster(workers=1)

    @cluster.world.registry.image("example.com/mine:1", size=1000)
    async def mine(process: Any) -> int:
        process.log("mine")
        return 7

    cluster.kubectl("run mine --image=example.com/mine:1 --restart=Never")
    cluster.run(10)
    assert cluster.fork().trace.digest() == cluster.trace.digest()
    assert "exit code 7" in cluster.fork().why("pod/mine").text


def test_a_command_that_was_interrupted_goes_on_in_the_fork(run: Cluster) -> None:
    began = run.now

    def interrupt(when: float) -> bool:
        if when > began + 2:
            raise KeyboardInterrupt
        return False

    run.sim.halt = interrupt
    with pytest.raises(KeyboardInterrupt):
        run.kubectl("delete pod client --grace-period=5")
    run.sim.halt = None
    assert run.fork().trace.digest() == run.trace.digest()
    run.run(20)
    run.kubectl("get pods")
    assert run.fork().trace.digest() == run.trace.digest()


def test_what_was_done_past_the_recording_is_noticed() -> None:
    cluster = Cluster(workers=1)
    create(cluster, WEB)
    cluster.run(5)
    with pytest.raises(ReplayError, match="differs from the run at 14"):
        cluster.fork()
    assert cluster.fork(at=10).now == 10


def test_a_run_that_was_served_is_replayed_up_to_then() -> None:
    cluster = Cluster(workers=1)
    moment = cluster.now
    cluster.serve()
    cluster.run(5)
    with pytest.raises(ReplayError, match=r"up to .* only: then it was served"):
        cluster.fork()
    assert cluster.fork(at=moment).now == moment


def test_the_future_cannot_be_forked() -> None:
    with pytest.raises(ValueError, match=r"from 0 to 0\.000 s, got 5"):
        Cluster(boot=False).fork(at=5)
