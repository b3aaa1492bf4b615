from __future__ import annotations

import doctest

import pytest

from k8slab.node.interfaces import RuntimeFailed
from k8slab.node.runtime import crictl


def test_ps_shows_what_runs_and_with_a_what_ran(bench):
    id = bench.start("nginx")
    bench.run(70)
    lines = crictl.run(bench.containerd, "crictl ps").splitlines()
    assert lines[0].split()[:5] == ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME"]
    assert lines[1].startswith(f"{id[:13]}       ")
    assert "About a minute ago" in lines[1]
    assert lines[1].endswith("default")
    bench.stop(id)
    assert len(crictl.run(bench.containerd, "crictl ps").splitlines()) == 1
    assert "Exited" in crictl.run(bench.containerd, "crictl ps -a")


def test_pods_images_and_logs(bench):
    id = bench.start("busybox:1.37", "echo", "hello")
    bench.run(2)
    assert "Ready" in crictl.run(bench.containerd, "crictl pods").splitlines()[1]
    line = crictl.run(bench.containerd, "crictl images").splitlines()[1]
    assert line.split()[:2] == ["docker.io/library/busybox", "1.37"]
    assert line.endswith("2.16MB")
    assert crictl.run(bench.containerd, f"crictl logs {id[:8]}") == "hello"
    with pytest.raises(RuntimeFailed, match="not found"):
        crictl.run(bench.containerd, "crictl logs ffffff0000")
    assert crictl.run(bench.containerd, "crictl nonsense").startswith("usage:")


def test_the_examples_are_true():
    assert doctest.testmod(crictl).failed == 0
