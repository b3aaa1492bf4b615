"""The kernel that runs code which nobody trusts."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8slab.classroom.grading.kernel import DiedError, HungError, Kernel, Limits

MEMORY = 2 << 30


@pytest.fixture(scope="module")
def kernel() -> Iterator[Kernel]:
    with Kernel(Limits(seconds=2.0, memory=MEMORY)) as running:
        yield running


def test_a_cell_says_what_it_raised(kernel: Kernel) -> None:
    assert kernel.run("x = 41") == ""
    assert kernel.value("x + 1") == "42"
    assert kernel.run("1 / 0") == "ZeroDivisionError: division by zero"
    with pytest.raises(ValueError, match="NameError"):
        kernel.value("nowhere")


def test_an_error_is_short_and_printable(kernel: Kernel) -> None:
    raised = kernel.run(r"raise ValueError('\x1b[31m' + 'x' * 10_000)")
    assert len(raised) < 320
    assert raised.isprintable()


def test_memory_is_limited(kernel: Kernel) -> None:
    if os.name == "nt":
        pytest.skip("this system has no such limit")
    assert kernel.run(f"x = bytearray({2 * MEMORY})").startswith("MemoryError")


def test_it_sees_nothing_of_this_process(kernel: Kernel) -> None:
    os.environ["A_SECRET"] = "xyzzy"
    kernel.start()
    assert "xyzzy" not in kernel.value("str(dict(__import__('os').environ))")
    assert kernel.value("__import__('os').getcwd()") != os.getcwd()


def test_it_is_replaced_when_it_hangs_or_dies(kernel: Kernel) -> None:
    before = kernel.generation
    with pytest.raises(HungError):
        kernel.run("import time; time.sleep(1000)")
    with pytest.raises(DiedError):
        kernel.run("import os; os._exit(3)")
    assert kernel.generation == before + 2
    assert kernel.value("1 + 1") == "2"


def test_no_process_and_no_folder_stays_behind() -> None:
    with Kernel(Limits()) as kernel:
        kernel.run("import subprocess; child = subprocess.Popen(['sleep', '1000'])")
        child, folder = (
            int(kernel.value("child.pid")),
            Path(kernel.value("__import__('os').getcwd()")),
        )
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)
    assert not folder.exists()


def test_not_even_when_the_kernel_was_the_first_to_go() -> None:
    with Kernel(Limits()) as kernel:
        kernel.run("import os, subprocess; child = subprocess.Popen(['sleep', '1000'])")
        child = int(kernel.value("child.pid"))
        with pytest.raises(DiedError):
            kernel.run("os._exit(0)")
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # killed, and nobody has looked yet
