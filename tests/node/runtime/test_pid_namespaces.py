"""Which processes the processes of a container see."""

from __future__ import annotations

from tests.node.runtime.conftest import Bench


def test_a_container_sees_its_own_processes_only(bench: Bench) -> None:
    pod = bench.sandbox()
    bench.start("nginx", sandbox=pod)
    assert "nginx" not in bench.sh("ps", sandbox=pod)


def test_the_containers_of_a_pod_may_share_their_processes(bench: Bench) -> None:
    pod = bench.sandbox(share_process_namespace=True)
    bench.start("nginx", sandbox=pod)
    lines = bench.sh("ps", sandbox=pod).splitlines()
    assert lines[1].split()[0::3] == ["1", "/pause"]
    assert "nginx" in lines[2]


def test_a_shared_process_can_be_ended_from_the_other_container(bench: Bench) -> None:
    pod = bench.sandbox(share_process_namespace=True)
    web = bench.start("nginx", sandbox=pod)
    bench.sh("kill $(pidof nginx)", sandbox=pod)
    assert bench.status(web).state == "EXITED"


def test_the_files_of_a_process_that_is_seen_can_be_looked_at(bench: Bench) -> None:
    pod = bench.sandbox()
    web = bench.start("nginx", sandbox=pod)
    debugger = bench.start("busybox", "sleep", "600", sandbox=pod, pid_target=web)
    root = "/proc/1/root"
    assert "nginx" in bench.exec(debugger, "cat", f"{root}/usr/share/nginx/html/index.html").stdout
    bench.exec(debugger, "sh", "-c", f"echo new > {root}/usr/share/nginx/html/index.html")
    assert bench.exec(web, "cat", "/usr/share/nginx/html/index.html").stdout == "new\n"
    assert bench.exec(debugger, "ls", "/proc/99/root").exit_code != 0


def test_a_container_aimed_at_another_sees_its_processes_and_ends_with_it(bench: Bench) -> None:
    pod = bench.sandbox()
    web = bench.start("nginx", sandbox=pod)
    debugger = bench.start("busybox", "sleep", "600", sandbox=pod, pid_target=web)
    assert "nginx" in bench.exec(debugger, "ps").stdout
    bench.stop(web)
    bench.run(1)
    assert bench.status(debugger).exit_code == 137
