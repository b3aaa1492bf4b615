"""Whole chains: which plugin answers, what it says, and what is written down."""

from __future__ import annotations

import pytest

from k8slab.addons.coredns.plugin import Request
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, REFUSED, SERVFAIL
from tests.addons.coredns.site import Served

OUT = "forward . 203.0.113.53"


def served(*lines: str) -> Served:
    return Served("\n".join((".:53 {", *lines, "}")))


def test_plugins_act_in_coredns_order_and_not_in_that_of_the_file() -> None:
    one, two = (served(*lines) for lines in ((OUT, "cache 30"), ("cache 30", OUT)))
    names = [[type(each).__name__ for each in lab.chains[0].handlers] for lab in (one, two)]
    assert names == [["Cache", "Forward"]] * 2


def test_an_answer_of_the_cache_calls_itself_authoritative() -> None:
    lab = served(OUT, "cache 30")
    flags = [lab.ask("example.com.").authoritative for _ in range(2)]
    assert flags == [False, True]


ACL = "acl {{\n {} \n}}"


@pytest.mark.parametrize(
    ("lines", "client", "rcode"),
    [
        ("block net 10.244.0.0/16", "10.244.1.2", REFUSED),
        ("block net 10.244.0.0/16", "10.0.0.2", NOERROR),
        ("allow net 10.244.1.0/24\nblock", "10.244.1.2", NOERROR),
        ("allow net 10.244.1.0/24\nblock", "10.244.2.2", REFUSED),
        ("block type AAAA", "10.244.1.2", NOERROR),
        ("block type A net *", "10.244.1.2", REFUSED),
        ("drop", "10.244.1.2", "DROPPED"),
    ],
)
def test_who_may_ask_is_decided_by_the_first_policy_that_fits(
    lines: str, client: str, rcode: str
) -> None:
    assert served(ACL.format(lines), OUT).ask("example.com.", client=client).rcode == rcode


def test_a_filtered_question_has_an_empty_answer() -> None:
    found = served(ACL.format("filter type A"), OUT).ask("example.com.", client="10.0.0.1")
    assert (found.rcode, found.answers) == (NOERROR, ())


def test_who_asks_for_everything_gets_next_to_nothing() -> None:
    assert served("any", OUT).data("example.com.", "ANY") == ['"ANY obsoleted" "See RFC 8482"']


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("version.bind.", '"CoreDNS-1.14.6"'),
        ("hostname.bind.", '"coredns-1"'),
        ("authors.bind.", '"you"'),
    ],
)
def test_a_server_says_what_it_is(name: str, text: str) -> None:
    lab = served("chaos CoreDNS-1.14.6 you", OUT)
    assert lab.data(name, "TXT", klass="CH") == [text]


def test_a_client_is_told_from_where_it_asks() -> None:
    found = served("whoami").ask("example.com.", client="10.244.1.3", port=40001)
    assert [str(each) for each in found.additional] == [
        "example.com. 0 IN A 10.244.1.3",
        "_udp.example.com. 0 IN SRV 0 0 40001 .",
    ]


def test_an_erratic_server_drops_delays_and_truncates_by_turns() -> None:
    lab = served("erratic {\n drop 3\n delay 2 1s\n truncate 2\n}")
    seen = []
    for _ in range(6):
        began = lab.sim.now
        found = lab.ask("example.com.")
        seen.append((found.rcode == "DROPPED", found.truncated, lab.sim.now - began))
    assert [each[0] for each in seen] == [True, False, False] * 2
    assert [each[1:] for each in seen if not each[0]] == [
        (False, 0.0), (True, 1.0), (True, 1.0), (False, 0.0),
    ]  # fmt: skip


TEMPLATE = r"""template IN A ip.example {
    match ^ip-(?P<a>\d+)-(?P<b>\d+)-(?P<c>\d+)-(?P<d>\d+)\.ip\.example\.$
    answer "{{ .Name }} 60 IN A {{ .Group.a }}.{{ .Group.b }}.{{ .Group.c }}.{{ .Group.d }}"
    fallthrough
}
template IN A hex.example {
    match ^x(?P<n>[0-9a-f]{2})\.hex\.example\.$
    answer "{{ .Name }} IN A 10.0.0.{{ parseInt .Group.n 16 8 }}"
}
template ANY ANY invalid {
    rcode NXDOMAIN
    authority "invalid. 60 {{ .Class }} SOA ns.invalid. you.invalid. (1 60 60 60 60)"
}
template IN ANY alias.example {
    answer "alias.example 60 IN CNAME example.com"
}"""


def test_answers_are_made_up_from_questions() -> None:
    lab = served("errors", TEMPLATE, OUT)
    assert lab.data("ip-10-1-2-3.ip.example.") == ["10.1.2.3"]
    assert lab.data("xff.hex.example.") == ["10.0.0.255"]
    assert lab.data("alias.example.") == ["example.com.", "203.0.113.7"]
    assert lab.data("example.com.") == ["203.0.113.7"]
    gone = lab.ask("a.b.invalid.", "MX")
    assert (gone.rcode, gone.authority[0].ttl) == (NXDOMAIN, 60)


def test_a_template_that_fits_no_name_of_its_zone_ends_the_question() -> None:
    lab = served("errors", TEMPLATE, OUT)
    assert lab.ask("other.ip.example.").rcode == NXDOMAIN  # falls through, to the world outside
    assert lab.ask("other.hex.example.").rcode == SERVFAIL


def test_a_name_can_be_rewritten_together_with_what_comes_back() -> None:
    lab = served("rewrite rcode suffix .nowhere NXDOMAIN NOERROR", OUT)
    assert lab.ask("a.nowhere.").rcode == NOERROR
    lab = served("rewrite ttl suffix .com 20-60", OUT)
    assert lab.ask("example.com.").answers[0].ttl == 60
    lab = served("rewrite class CH IN", OUT)
    assert lab.data("example.com.", klass="CH") == ["203.0.113.7"]


def test_an_alias_can_be_bent_to_another_target() -> None:
    lab = served("rewrite continue cname exact old.example. example.com.", OUT)
    lab.world["www.example"] = ["old.example"]
    lab.world["old.example"] = ["203.0.113.1"]
    assert lab.data("www.example.") == ["example.com.", "203.0.113.7"]


def test_errors_of_one_kind_are_counted_and_told_once() -> None:
    counted = 'errors {\n consolidate 30s "connection refused$" warning\n}'
    lab = served(counted, "forward . 127.0.0.1:9")
    for _ in range(3):
        lab.ask("example.com.")
    assert lab.lines == []
    lab.sim.run(lab.sim.now + 40)
    assert lab.lines == [
        "[WARNING] plugin/errors: 3 errors like 'connection refused$' occurred in last 30s"
    ]


def test_a_line_is_logged_with_nothing_where_nobody_answered() -> None:
    lab = served("errors", "log", "forward . 127.0.0.1:9")
    lab.ask("example.com.", client="10.244.1.3", port=40001, id=7, length=29)
    logged, error = lab.lines
    asked = '10.244.1.3:40001 - 7 "A IN example.com. udp 29 false 512"'
    assert logged.startswith(f"[INFO] {asked} - - 0 ")
    assert error.startswith("[ERROR] plugin/errors: 2 example.com. A: read udp 127.0.0.1:")
    assert error.endswith("->127.0.0.1:9: read: connection refused")


def test_questions_are_logged_by_zone_class_and_in_another_form() -> None:
    lab = served('log example.com "{name} {rcode}"', "log . {\n class denial\n}", OUT)
    for name in ("example.com.", "nobody.example.", "a.example.com."):
        lab.ask(name)
    assert lab.lines[0] == "[INFO] example.com. NOERROR"
    assert " NXDOMAIN qr,rd,ra " in lab.lines[1]
    assert lab.lines[2] == "[INFO] a.example.com. NXDOMAIN"


def test_more_questions_at_once_than_allowed_are_refused() -> None:
    lab = served("errors", "forward . 203.0.113.53 {\n max_concurrent 1\n}")
    first = lab.sim.spawn(lab.chains[0].serve(Request("example.com.", "A")), "client")
    assert lab.ask("example.com.").rcode == REFUSED
    assert lab.lines == [
        "[ERROR] plugin/errors: 5 example.com. A: concurrent queries exceeded maximum 1"
    ]
    lab.sim.run(lab.sim.now + 1)
    assert first.result().answers


def test_some_names_are_excepted_and_some_outcomes_passed_on() -> None:
    lab = served("forward . 203.0.113.53 {\n except example.com\n}", "forward . 127.0.0.1:9")
    assert lab.ask("example.com.").rcode == SERVFAIL
    lab = served("forward . 203.0.113.53 {\n next NXDOMAIN\n}", "whoami")
    assert lab.ask("nobody.example.", client="10.0.0.1").additional


def test_what_the_lab_does_not_simulate_is_known_by_name() -> None:
    assert served("dnssec", "debug", OUT).chains[0].left_out == ("dnssec",)
