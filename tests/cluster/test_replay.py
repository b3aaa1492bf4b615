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
