"""The incident console: every incident is real, has one cause, and is seen best where it says."""

import pytest

from k8slab import Cluster
from k8slab.viz import incident_console
from k8slab.viz.widgets.incident_console import FIRST_LOOK
from k8slab.viz.widgets.incidents import CONTROL, INCIDENTS, LAYERS, NAME, RULES
from tests.viz import legibility


def console(number: int = 0, budget: int = 10):
    return incident_console(Cluster(workers=2, seed=7), number=number, budget=budget)


def look(widget, command: str) -> str:
    widget.turn(look=command)
    widget.look()
    return widget.looks[-1].output if widget.looks else ""


@pytest.mark.parametrize("number", range(len(INCIDENTS)))
def test_every_incident_hurts_and_is_told_by_its_evidence(number) -> None:
    widget = console(number)
    symptom = look(widget, FIRST_LOOK)
    assert any(w in symptom for w in ("refused", "timed out", "unresolved", "unreachable"))
    assert look(widget, widget.incident.evidence)
    said = widget.guess(layer=widget.incident.layer)
    assert said.startswith(f"Right, after 2 looks. {widget.incident.cause}")
    assert said.endswith("And the best of them was among yours.")


def test_the_shop_answers_without_a_fault() -> None:
    widget = console(3)  # names alone are broken
    address = widget.cluster.view.get("services", "shop").spec.clusterIP
    assert "200 OK" in look(widget, f"request pod/client http://{address}")


def test_a_wrong_layer_leaves_the_case_open() -> None:
    widget = console(3)
    assert widget.guess(layer=CONTROL).startswith(f"Not {CONTROL}.")
    assert not widget.solved
    assert widget.guess(layer=NAME).startswith("Right, after 0 looks.")
    assert "best seen: kubectl get pods" in widget.said.replace("Best", "best")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kubectl delete pods --all", "Look, do not touch"),
        ("cat /etc/passwd", "A look is"),
        ("nowhere: ip addr", "no machine 'nowhere'"),
        ("request pod/nobody http://shop", "not found"),
    ],
)
def test_what_is_no_look_costs_nothing(command, words) -> None:
    widget = console()
    look(widget, command)
    assert words in widget.said
    assert widget.left == widget.budget


def test_the_log_shows_what_a_table_says_and_not_its_head() -> None:
    widget = console(1)
    look(widget, "kubectl get networkpolicies")
    assert widget.looks[0].gist.split() == ["quiet", "app=shop", "45s"]


def test_the_budget_ends() -> None:
    widget = console(budget=1)
    look(widget, "kubectl get pods")
    look(widget, "kubectl get nodes")
    assert len(widget.looks) == 1
    assert "The budget is used up." in widget.said


def test_a_node_can_be_looked_at() -> None:
    widget = console(5)
    assert "KUBE-SERVICES" in look(widget, "worker-1: iptables-save -t nat")
    assert widget.guess(layer=RULES).startswith("Right, after 1 look.")


def test_every_layer_but_no_other_is_the_cause_of_one() -> None:
    assert {incident.layer for incident in INCIDENTS} == set(LAYERS)


def test_the_widget_works_by_its_controls() -> None:
    widget = console()
    assert widget.box
    widget._controls["look"].value = "kubectl get endpointslices"
    widget.look()
    assert "shop-" in widget._shown.value
    widget._answers["layer"].value = widget.incident.layer
    widget._go()
    assert "Right, after 1 look." in widget._feedback.value


def test_every_letter_can_be_read() -> None:
    widget = console()
    look(widget, FIRST_LOOK)
    assert legibility.faults(widget.figure().drawing) == []
