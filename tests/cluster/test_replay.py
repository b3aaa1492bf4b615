from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cluster.scripts import play

SESSIONS = [str(number) for number in range(20)]


def test_twenty_random_sessions_give_the_same_bytes_in_every_process() -> None:
    command = [sys.executable, "-m", "tests.cluster.scripts", *SESSIONS]
    running = [
        subprocess.Popen(
            command,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("1", "77")
    ]
    (one, trouble), (other, _) = [process.communicate(timeout=120) for process in running]
    assert not trouble
    assert len(one.splitlines()) == len(SESSIONS)
    assert one == other


@pytest.mark.parametrize("number", range(6))
def test_a_fork_of_a_random_session_equals_it(number: int) -> None:
    cluster = play(number)
    child = cluster.fork()
    assert child.trace.digest() == cluster.trace.digest()
    middle = cluster.fork(at=14 + (cluster.now - 14) / 2)
    assert list(middle.trace) == list(cluster.trace)[: len(middle.trace)]
    assert middle.fork().trace.digest() == middle.trace.digest()


@pytest.mark.parametrize("number", [3, 11])
def test_everything_in_a_random_session_can_be_asked_why(number: int) -> None:
    cluster = play(number)
    for kind in ("pods", "services", "deployments", "replicasets", "nodes", "endpointslices"):
        for obj in cluster.view.list(kind):
            explanation = cluster.why(obj)
            assert explanation.records
            assert all(1 < each <= cluster.backend.revision for each in explanation.revisions)
    for pod in cluster.view.list("pods"):
        assert cluster.why_not(pod, "worker-1").findings
    for url in ("http://web", "http://ghost", "http://10.96.0.10:53", "http://10.244.1.2"):
        answer = cluster.request("node/worker-1", url, timeout=2)
        assert len(cluster.why(answer).findings) > 1
