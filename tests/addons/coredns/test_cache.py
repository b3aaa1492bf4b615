from __future__ import annotations

from k8slab.addons.coredns.cache import Cache
from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, Answer, Record

FOUND = Answer(NOERROR, (Record("a.example.", "A", 300, "203.0.113.7"),))
MISSING = Answer(NXDOMAIN, authority=(Record(".", "SOA", 86400, "a. b. 1 1 1 1 1"),))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(*properties: tuple[str, ...]) -> tuple[Cache, Clock]:
    clock = Clock()
    return Cache(Plugin("cache", ("30",), properties), clock), clock


def test_an_answer_is_kept_no_longer_than_the_corefile_allows() -> None:
    kept, clock = cache()
    kept.put("a.example.", "A", FOUND)
    clock.now = 10.0
    again = kept.get("a.example.", "A")
    assert again is not None
    assert again.answers[0].ttl == 20
    clock.now = 30.0
    assert kept.get("a.example.", "A") is None


def test_what_does_not_exist_is_remembered_too() -> None:
    kept, _ = cache()
    kept.put("b.example.", "A", MISSING)
    assert kept.get("b.example.", "A").rcode == NXDOMAIN


def test_disabled_zones_are_asked_anew() -> None:
    kept, _ = cache(("disable", "success", "example"), ("disable", "denial", "cluster.local"))
    kept.put("a.example.", "A", FOUND)
    kept.put("b.cluster.local.", "A", MISSING)
    kept.put("b.example.", "A", MISSING)
    assert len(kept) == 1


def test_types_of_one_name_are_kept_apart() -> None:
    kept, _ = cache()
    kept.put("a.example.", "A", FOUND)
    assert kept.get("a.example.", "AAAA") is None


def test_the_first_who_asks_sees_the_limit_too() -> None:
    for properties in ((), (("disable", "success"),)):
        kept, _ = cache(*properties)
        assert kept.put("a.example.", "A", FOUND).answers[0].ttl == 30
