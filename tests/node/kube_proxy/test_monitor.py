"""Rules that somebody else changed: when kube-proxy notices, and what it does."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.linux.commands import shell
from k8slab.node.kube_proxy import Config
from k8slab.node.kube_proxy.chains import PROXY_CANARY
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service
from tests.node.kube_proxy.test_proxier import Lab, expose, placed

ANYWHERE = "10.244.1.2:8080"


class Watched(Lab):
    """A lab with one Service, whose kube-proxy has run for ten seconds."""

    def __init__(self, mode: str = "iptables") -> None:
        super().__init__()
        self.proxier = self.start(config=Config(mode=mode))
        self.began = self.sim.now
        self.address, _ = expose(self, "10.244.1.2")
        self.until(10)

    def until(self, seconds: float) -> None:
        """Let the time be so many seconds after the start of kube-proxy."""
        self.sim.run(self.began + seconds)

    def on_node(self, command: str) -> str:
        return shell(self.machine.net, command)

    def told(self, verb: str) -> list[float]:
        """Return when kube-proxy did that, in seconds after its start."""
        return [round(each.time - self.began, 1) for each in self.sim.trace if each.verb == verb]


def flush(lab: Watched, *tables: str) -> None:
    for table in tables:
        lab.on_node(f"iptables -t {table} -F")
        lab.on_node(f"iptables -t {table} -X")


def test_a_flush_is_noticed_at_the_next_look_at_the_canary() -> None:
    lab = Watched()
    before = lab.on_node("iptables-save")
    flush(lab, "nat", "filter", "mangle")
    assert lab.destinations(lab.address) == []
    lab.until(29)
    assert lab.destinations(lab.address) == []
    lab.until(31)
    assert lab.destinations(lab.address) == [ANYWHERE]
    assert sorted(lab.on_node("iptables-save").splitlines()) == sorted(before.splitlines())
    assert lab.told("reload") == [30.0]


def test_without_the_canary_of_mangle_nothing_is_noticed_for_an_hour() -> None:
    lab = Watched()
    flush(lab, "nat")
    lab.until(3599)
    assert lab.destinations(lab.address) == []
    lab.until(3601)
    assert lab.destinations(lab.address) == [ANYWHERE]


def test_canaries_of_the_other_tables_are_waited_for_five_seconds() -> None:
    lab = Watched()
    flush(lab, "mangle")
    lab.until(34)
    assert PROXY_CANARY not in lab.on_node("iptables-save -t mangle")
    lab.until(36)
    assert PROXY_CANARY in lab.on_node("iptables-save -t mangle")


def test_the_next_flush_is_noticed_too() -> None:
    lab = Watched()
    for _ in range(2):
        flush(lab, "nat", "filter", "mangle")
        lab.run(31)
        assert lab.destinations(lab.address) == [ANYWHERE]
    assert len(lab.told("reload")) == 2


def test_a_partial_sync_on_flushed_rules_fails_and_is_tried_anew() -> None:
    lab = Watched()
    flush(lab, "nat")
    other = lab.do(lab.client.create(placed(service("other", clusterIP=""))))
    slices = endpoint_slice(endpoint("10.244.1.2"), service="other")
    lab.do(lab.client.create(placed(slices)))
    lab.until(15)
    assert lab.told("fail")
    assert lab.destinations(other.spec.clusterIP) == []
    lab.until(45)
    assert lab.destinations(other.spec.clusterIP) == [ANYWHERE]
    assert lab.destinations(lab.address) == [ANYWHERE]


def test_one_deleted_rule_comes_back_with_the_full_sync_of_the_hour() -> None:
    lab = Watched()
    lab.on_node("iptables -t nat -D PREROUTING 1")
    expose_another(lab)
    assert lab.destinations(lab.address) == []  # a partial sync has no eye for it
    lab.until(3601)
    assert lab.destinations(lab.address) == [ANYWHERE]


def expose_another(lab: Watched) -> None:
    lab.do(lab.client.create(placed(service("another", clusterIP=""))))
    lab.run(3)


def test_as_long_as_nobody_edits_rules_nothing_is_looked_at() -> None:
    lab = Watched()
    waiting = [str(each.label) for each in lab.sim.pending() if "kube-proxy" in str(each.label)]
    assert not any("look" in each or "full sync" in each for each in waiting)
    lab.until(7300)
    assert lab.told("reload") == []


def test_an_ended_kube_proxy_notices_nothing() -> None:
    lab = Watched()
    lab.group.kill()
    flush(lab, "nat", "filter", "mangle")
    lab.until(7300)
    assert lab.destinations(lab.address) == []


@pytest.mark.parametrize("command", ["nft flush ruleset", "nft delete table ip kube-proxy"])
def test_without_its_table_a_sync_fails_and_the_next_makes_it_again(command: str) -> None:
    lab = Watched("nftables")
    lab.on_node(command)
    expose_another(lab)
    assert lab.table(lab.address) == "ACCEPT"
    lab.run(31)
    assert lab.table(lab.address) == ANYWHERE


def test_without_a_change_a_lost_table_is_made_again_within_the_hour() -> None:
    lab = Watched("nftables")
    lab.on_node("nft flush ruleset")
    lab.until(3599)
    assert lab.table(lab.address) == "ACCEPT"
    lab.until(3601)
    assert lab.table(lab.address) == ANYWHERE


def test_a_full_sync_that_finds_all_well_writes_nothing() -> None:
    lab = Watched()
    lab.on_node("iptables -N MINE")
    before: Any = [each.body for each in lab.machine.net.ruleset.table("nat").chains.values()]
    syncs = lab.told("sync")
    lab.until(3700)
    after = [each.body for each in lab.machine.net.ruleset.table("nat").chains.values()]
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert lab.told("sync") == syncs
