"""The scale lens: points are measured, growth is judged where there is enough of it."""

import pytest

from k8slab import Cluster
from k8slab.viz import scale_lens
from k8slab.viz.widgets.scale_lens import ALL, CONSTANT, EACH
from tests.viz import legibility


@pytest.fixture
def lens():
    return scale_lens(Cluster(workers=1, seed=5))


def measure(lens, services: str, iptables: str = EACH, nftables: str = CONSTANT) -> str:
    lens.turn(services=services)
    return lens.guess(iptables=iptables, nftables=nftables)


def test_iptables_grows_and_nftables_does_not(lens) -> None:
    said = measure(lens, "300")
    assert f"iptables: right, {EACH}. nftables: right, {CONSTANT}." in said


def test_three_services_cannot_tell(lens) -> None:
    assert "So few cannot tell" in measure(lens, "3")


def test_a_wrong_growth_is_told(lens) -> None:
    assert f'iptables: you said "{ALL}", it is {EACH}.' in measure(lens, "100", iptables=ALL)


def test_every_measurement_is_a_point_of_the_lines(lens) -> None:
    for services in ("3", "30", "100"):
        measure(lens, services)
    assert "met, nftables stays the same" in lens.text
    assert "100 Services: 1123" in lens.text
    lens.clear()
    assert "No measurement yet" in lens.text


def test_other_pods_begin_another_picture(lens) -> None:
    measure(lens, "30")
    lens.turn(endpoints="1")
    measure(lens, "100")
    assert list(lens.costs) == [100]


def test_every_letter_can_be_read(lens) -> None:
    measure(lens, "3")
    measure(lens, "100")
    assert legibility.faults(lens.figure().drawing) == []
