"""What Services cost: really rendered, really walked."""

import pytest

from k8slab.cluster.scale import cost_of_rules


@pytest.mark.parametrize("endpoints", [1, 3])
def test_rules_grow_with_services_and_the_walk_of_iptables_with_them(endpoints) -> None:
    small, large = cost_of_rules(50, endpoints), cost_of_rules(150, endpoints)
    each = 3 + 3 * endpoints - 1  # SERVICES, mark, and for each Pod: choice, hairpin, DNAT
    assert large.rules - small.rules == 100 * each
    assert large.iptables - small.iptables == 100


def test_nftables_meets_as_many_rules_however_many_services_there_are() -> None:
    assert cost_of_rules(5, 3).nftables == cost_of_rules(200, 3).nftables < 20


def test_with_iptables_the_choice_among_pods_is_a_walk_too() -> None:
    few, many = cost_of_rules(5, 3), cost_of_rules(5, 40)
    assert many.iptables == few.iptables
    assert many.iptables_last - many.iptables == 39
    assert many.nftables == few.nftables


def test_less_than_one_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 or more of each"):
        cost_of_rules(0, 3)
