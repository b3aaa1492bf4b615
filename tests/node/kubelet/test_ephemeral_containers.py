"""Containers that are added to a running Pod to look around in it."""

from __future__ import annotations

from k8slab.api import to_dict
from tests.node.kubelet.lab import Lab, container, shell


def look(lab: Lab, script: str, **fields: str) -> None:
    lab.change("ephemeralcontainers", ephemeralContainers=[shell(script, "look", **fields)])


def test_it_runs_beside_the_others_and_is_told_of_apart(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    look(lab, "sleep 3600")
    lab.run(5)
    (status,) = lab.pod().status.ephemeralContainerStatuses
    assert (status.state.running is not None, status.ready, status.started) == (True, False, None)
    assert lab.conditions()["Ready"] == "True"


def test_it_is_in_the_pods_network_and_its_events_name_it(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    look(lab, "wget -qO- localhost")
    lab.run(5)
    found = next(c for c in lab.runtime.containers() if c.config.name == "look")
    assert [line.text for line in lab.runtime.log(found.id)] == ["hello"]
    assert lab.events()[-1] == ("Started", "Container started")


def test_it_is_never_restarted(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    look(lab, "exit 3")
    lab.run(120)
    pod = lab.pod()
    (status,) = pod.status.ephemeralContainerStatuses
    assert to_dict(status.state)["terminated"]["exitCode"] == 3
    assert (status.restartCount, pod.status.phase) == (0, "Running")


def test_aimed_at_a_container_it_sees_its_processes(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    look(lab, "ps", targetContainerName="web")
    lab.run(5)
    found = next(c for c in lab.runtime.containers() if c.config.name == "look")
    assert "/web" in lab.runtime.log(found.id)[1].text


def test_it_ends_with_its_pod(lab: Lab) -> None:
    lab.run_pod(container(), terminationGracePeriodSeconds=1)
    lab.run(5)
    look(lab, "sleep 3600")
    lab.run(5)
    lab.delete()
    lab.run(10)
    assert not lab.exists()
