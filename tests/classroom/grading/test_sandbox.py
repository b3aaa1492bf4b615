"""The world in which a submission runs: what is not there, and what it cannot do."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8slab.classroom.grading import sandbox
from k8slab.classroom.grading.kernel import DiedError, Kernel, Limits

LIMITS = Limits(seconds=10.0, memory=2 << 30, processes=100)
CHILD = "import subprocess\nsubprocess.Popen(['sleep', '{0}'], start_new_session=True)"

needs_sandbox = pytest.mark.skipif(not sandbox.available(), reason="no sandbox on this system")


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(LIMITS, isolated=True) as running:
        running.run("import ctypes, os, socket, subprocess, time, k8slab")
        yield running


def is_running(mark: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes().split(b"\0"):
                return True
        except OSError:
            continue
    return False


def ends(mark: str) -> bool:
    deadline = time.monotonic() + 10
    while is_running(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(mark)


@needs_sandbox
def test_not_even_this_machine_is_reached(kernel: Kernel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        assert "OSError" in kernel.run(f"socket.create_connection({place!r}, 2)")


@needs_sandbox
def test_there_are_no_files_but_those_it_needs(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    assert kernel.value(f"os.path.exists({str(tmp_path)!r})") == "False"
    names = kernel.value("' '.join(sorted(os.listdir('/')))").split()
    assert {"etc", "home", "root", "var"}.isdisjoint(names)


@needs_sandbox
@pytest.mark.parametrize("place", ["k8slab.__file__", "ctypes.__file__", "'/usr/x'", "'/x'"])
def test_nothing_can_be_written_where_others_read(kernel: Kernel, place: str) -> None:
    assert re.search(r"Errno (13|30)\]", kernel.run(f"open({place}, 'a')"))


@needs_sandbox
def test_its_own_folder_is_bounded(kernel: Kernel) -> None:
    for number in range(4):
        raised = kernel.run(f"open('x{number}', 'wb').write(bytes(90 << 20))")
    assert "No space left" in raised
    assert kernel.run("for x in os.listdir(): os.path.isfile(x) and os.unlink(x)") == ""


@needs_sandbox
def test_nobody_else_is_there(kernel: Kernel) -> None:
    assert "ProcessLookupError" in kernel.run(f"os.kill({os.getpid()}, 0)")
    assert kernel.run("open('/proc/1/environ')") != ""
    assert kernel.value("os.getuid() != 0") == "True"
    assert "CapEff:\t0000000000000000" in kernel.value("open('/proc/self/status').read()")


@needs_sandbox
def test_processes_are_counted(kernel: Kernel) -> None:
    many = "for n in range(200): subprocess.Popen(['sleep', '1000'])"
    assert "BlockingIOError" in kernel.run(many)


@needs_sandbox
def test_memory_is_counted_together() -> None:
    fill = (
        "import os, time\nfor n in range(3):\n    if os.fork() == 0: break\nx = b'x' * (900 << 20)"
    )
    with (
        Kernel(LIMITS, isolated=True) as running,
        pytest.raises(DiedError, match="process ended"),
    ):
        running.run(f"{fill}\ntime.sleep(8)")


@pytest.mark.parametrize("isolated", [pytest.param(True, marks=needs_sandbox), False])
def test_whoever_leaves_the_family_ends_with_it(isolated: bool) -> None:
    mark = f"{1000 + isolated}.{os.getpid()}"
    with Kernel(LIMITS, isolated=isolated) as running:
        assert running.run(CHILD.format(mark)) == ""
        assert is_running(mark)
    assert ends(mark)


def test_without_a_sandbox_python_itself_refuses_to_connect() -> None:
    with Kernel(LIMITS) as running:
        for code in ("s.socket().connect(('10.0.0.1', 1))", "s.getaddrinfo('example.com', 80)"):
            assert running.run(f"import socket as s\n{code}").startswith("PermissionError")
