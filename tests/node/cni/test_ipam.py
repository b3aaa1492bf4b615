from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.node.cni.ipam import Ipam, NoAddresses, gateway, next_free
from k8slab.node.folder import Folder


def test_addresses_are_given_in_order_and_the_gateway_never():
    ipam = Ipam(Folder(), "kindnet", "10.244.1.0/24")
    assert gateway(ipam.subnet) == "10.244.1.1"
    assert [ipam.allocate("a"), ipam.allocate("b")] == ["10.244.1.2", "10.244.1.3"]


def test_a_freed_address_waits_until_the_others_had_their_turn():
    ipam = Ipam(Folder(), "kindnet", "10.244.1.0/29")
    first = ipam.allocate("a")
    ipam.release(first)
    assert [ipam.allocate(name) for name in "bcdef"][-1] == first


def test_a_full_range_says_so_in_the_plugin_s_words():
    ipam = Ipam(Folder(), "kindnet", "10.244.1.0/30")
    ipam.allocate("a")
    with pytest.raises(NoAddresses, match=r"range set: 10\.244\.1\.1-10\.244\.1\.2"):
        ipam.allocate("b")


def test_the_books_survive_on_the_disk():
    disk = Folder()
    Ipam(disk, "kindnet", "10.244.1.0/24").allocate("a")
    assert Ipam(disk, "kindnet", "10.244.1.0/24").owned() == {"10.244.1.2": "a"}
    assert Ipam(disk, "kindnet", "10.244.1.0/24").allocate("b") == "10.244.1.3"


@given(st.lists(st.integers(0, 12), max_size=40))
def test_no_address_is_ever_given_twice(steps):
    ipam = Ipam(Folder(), "kindnet", "10.244.9.0/28")
    held: list[str] = []
    for step in steps:
        if held and step % 3 == 0:
            ipam.release(held.pop(step % len(held)))
        elif len(held) < 13:
            ip = ipam.allocate("x")
            assert ip not in held
            held.append(ip)


@pytest.mark.parametrize(
    ("last", "taken", "expected"),
    [
        ("", (), "10.0.0.2"),
        ("10.0.0.2", (), "10.0.0.3"),
        ("10.0.0.6", (), "10.0.0.2"),
        ("10.0.0.3", ("10.0.0.4", "10.0.0.5"), "10.0.0.6"),
    ],
)
def test_next_free(last, taken, expected):
    assert next_free("10.0.0.0/29", last, taken) == expected
