from __future__ import annotations

import pytest

from k8slab.addons.coredns.corefile import parse
from k8slab.addons.coredns.plugin import Request
from k8slab.addons.coredns.plugins.cache import Store, kind_of, settings_of
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, SERVFAIL, Answer, Record
from tests.addons.coredns.site import Served

FOUND = Answer(NOERROR, (Record("a.example.", "A", 300, "203.0.113.7"),))
SOA = Record(".", "SOA", 86400, "a. b. 1 1 1 1 1")
MISSING = Answer(NXDOMAIN, authority=(SOA,))
A, B = Request("a.example.", "A"), Request("b.example.", "A")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(*lines: str) -> tuple[Store, Clock]:
    clock = Clock()
    text = "\n".join((".:53 {", "cache 30 {", *lines, "}", "}"))
    return Store(settings_of(parse(text)[0].plugins[0], (".",)), clock), clock


def test_an_answer_is_kept_no_longer_than_the_corefile_allows() -> None:
    kept, clock = cache()
    kept.put(A, FOUND)
    clock.now = 10.0
    entry = kept.get(A)
    assert entry is not None
    assert entry.left(clock.now) == 20
    clock.now = 30.0
    assert kept.get(A) is None


def test_what_does_not_exist_is_remembered_too_for_as_long_as_its_kind_allows() -> None:
    kept, clock = cache("denial 100 5")
    kept.put(B, MISSING)
    entry = kept.get(B)
    assert entry is not None
    assert entry.answer.rcode == NXDOMAIN
    clock.now = 5.0
    assert kept.get(B) is None


def test_disabled_zones_are_asked_anew() -> None:
    kept, _ = cache("disable success example", "disable denial cluster.local")
    kept.put(A, FOUND)
    kept.put(Request("b.cluster.local.", "A"), MISSING)
    kept.put(B, MISSING)
    assert len(kept) == 1


def test_types_of_one_name_are_kept_apart() -> None:
    kept, _ = cache()
    kept.put(A, FOUND)
    assert kept.get(Request("a.example.", "AAAA")) is None


def test_the_first_who_asks_sees_the_limit_too() -> None:
    for lines in ((), ("disable success",)):
        kept, _ = cache(*lines)
        assert kept.put(A, FOUND).answers[0].ttl == 30


def test_the_least_ttl_counts_and_none_below_five_seconds() -> None:
    kept, _ = cache()
    one, two = (Record("a.example.", "A", ttl, "203.0.113.7") for ttl in (0, 300))
    assert [each.ttl for each in kept.put(A, Answer(NOERROR, (one, two))).answers] == [5, 5]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (FOUND, "success"),
        (MISSING, "denial"),
        (Answer(NOERROR, authority=(SOA,)), "denial"),
        (Answer(NOERROR), "success"),
        (Answer(NXDOMAIN), ""),
        (Answer(SERVFAIL), "denial"),
        (Answer("REFUSED"), ""),
        (Answer(NOERROR, FOUND.answers, truncated=True), ""),
    ],
)
def test_what_may_be_kept(answer: Answer, kind: str) -> None:
    assert kind_of(answer) == kind


def test_a_failure_that_was_answered_is_remembered_for_five_seconds() -> None:
    kept, clock = cache()
    kept.put(A, Answer(SERVFAIL))
    assert kept.get(A) is not None
    clock.now = 5.0
    assert kept.get(A) is None


def test_a_full_cache_drops_the_oldest() -> None:
    kept, _ = cache("success 1")
    kept.put(A, FOUND)
    kept.put(B, FOUND)
    assert (kept.get(A), len(kept)) == (None, 1)


def served(lines: str) -> Served:
    return Served(f".:53 {{\n errors\n cache 30 {{\n {lines}\n }}\n forward . 203.0.113.53\n}}")


def test_a_popular_name_is_fetched_before_it_is_over() -> None:
    lab = served("prefetch 2 1m 50%")
    for _ in range(3):
        lab.ask("example.com.")
    lab.world["example.com"] = ["203.0.113.8"]
    lab.sim.run(lab.sim.now + 20)
    assert lab.data("example.com.") == ["203.0.113.7"]  # and it is fetched now
    lab.sim.run(lab.sim.now + 1)
    assert lab.data("example.com.") == ["203.0.113.8"]


@pytest.mark.parametrize("mode", ["", "immediate", "verify"])
def test_what_is_stale_is_better_than_nothing(mode: str) -> None:
    lab = served(f"serve_stale 1h {mode}")
    lab.ask("example.com.")
    lab.sim.run(lab.sim.now + 1800)
    lab.world["example.com"] = ["203.0.113.8"]
    stale = lab.ask("example.com.").answers[0]
    new = ("203.0.113.8", 30) if mode == "verify" else ("203.0.113.7", 0)
    assert (stale.data, stale.ttl) == new
    lab.sim.run(lab.sim.now + 1)
    assert lab.data("example.com.") == ["203.0.113.8"]


def test_what_is_stale_is_served_while_nobody_answers() -> None:
    lab = Served(".:53 {\n cache 30 {\n serve_stale 1h verify\n }\n forward . 127.0.0.1:99\n}")
    lab.chains[0].caches[0].store.put(A, FOUND)
    lab.sim.run(lab.sim.now + 60)
    assert [str(each) for each in lab.ask("a.example.").answers] == [
        "a.example. 0 IN A 203.0.113.7"
    ]
    lab.sim.run(lab.sim.now + 3700)
    assert lab.ask("a.example.").rcode == SERVFAIL


def test_with_keepttl_a_ttl_does_not_count_down() -> None:
    lab = served("keepttl")
    lab.ask("example.com.")
    lab.sim.run(lab.sim.now + 10)
    assert lab.ask("example.com.").answers[0].ttl == 300
