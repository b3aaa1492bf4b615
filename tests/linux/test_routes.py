from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.linux.addresses import contains, ip_int, ip_text, network
from k8slab.linux.routes import Route, RouteTable, connected

ADDRESSES = st.integers(0, 0xFFFFFFFF).map(ip_text)
NETWORKS = st.builds(lambda ip, length: f"{ip}/{length}", ADDRESSES, st.integers(1, 32))


@given(ADDRESSES)
def test_an_address_survives_its_number(ip: str) -> None:
    assert ip_text(ip_int(ip)) == ip


@pytest.mark.parametrize(
    "text", ["", "10.0.0", "10.0.0.256", "10.0.0.x", "::g", "10.0.0.1/33", "fd00::/129"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        network(text)


@given(st.lists(NETWORKS, max_size=8, unique_by=network), ADDRESSES)
def test_the_longest_prefix_wins(networks: list[str], ip: str) -> None:
    table = RouteTable()
    for number, cidr in enumerate(networks):
        table.add(Route(destination=cidr, device=f"eth{number}"))
    lengths = [int(cidr.split("/")[1]) for cidr in networks if contains(cidr, ip)]
    found = table.lookup(ip)
    assert (int(found.destination.split("/")[1]) if found else None) == max(lengths, default=None)


def test_a_look_up_is_forgotten_when_the_table_changes() -> None:
    table = RouteTable()
    table.add(Route(destination="default", device="eth0"))
    assert table.lookup("10.244.2.5").device == "eth0"  # type: ignore[union-attr]
    table.add(Route(destination="10.244.2.0/24", device="eth1"))
    assert table.lookup("10.244.2.5").device == "eth1"  # type: ignore[union-attr]
    table.remove("10.244.2.0/24")
    assert table.lookup("10.244.2.5").device == "eth0"  # type: ignore[union-attr]


def test_of_equal_prefixes_the_lower_metric_wins() -> None:
    table = RouteTable()
    table.add(Route(destination="default", device="slow", metric=100))
    table.add(Route(destination="default", device="fast", metric=10))
    assert table.lookup("1.1.1.1").device == "fast"  # type: ignore[union-attr]


def test_the_same_route_twice_is_refused_in_the_words_of_ip() -> None:
    table = RouteTable()
    table.add(Route(destination="default", device="eth0"))
    with pytest.raises(FileExistsError, match="RTNETLINK answers: File exists"):
        table.add(Route(destination="default", device="eth1"))


def test_routes_print_as_iproute2_prints_them() -> None:
    table = RouteTable()
    table.add(connected("10.244.1.5/24", "eth0"))
    table.add(Route(destination="169.254.1.1", device="eth0", scope="link"))
    table.add(Route(destination="default", device="eth0", gateway="169.254.1.1", onlink=True))
    assert [str(route) for route in table] == [
        "default via 169.254.1.1 dev eth0 onlink",
        "10.244.1.0/24 dev eth0 proto kernel scope link src 10.244.1.5",
        "169.254.1.1 dev eth0 scope link",
    ]
