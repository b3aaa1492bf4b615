"""What CoreDNS would not start with, in its own words."""

from __future__ import annotations

import re

import pytest

from k8slab.addons.coredns.corefile import CorefileError, parse
from k8slab.addons.coredns.settings import settings_of
from tests.addons.coredns.site import Served

HERE = "/etc/coredns/Corefile"
WORDS = "Wrong argument count or unexpected line ending after"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "kubernetes cluster.local {\nupstreams\n}",
            f"plugin/kubernetes: {HERE}:3 - Error during parsing: unknown property 'upstreams'",
        ),
        (
            "kubernetes cluster.local {\npods maybe\n}",
            "plugin/kubernetes: wrong value for pods: maybe,  "
            "must be one of: disabled, verified, insecure",
        ),
        (
            "kubernetes cluster.local {\nttl 4000\n}",
            f"plugin/kubernetes: {HERE}:3 - Error during parsing: "
            "ttl must be in range [0, 3600]: 4000",
        ),
        ("kubernetes in-addr.arpa", "plugin/kubernetes: non-reverse zone name must be used"),
        (
            "kubernetes c.local {\nnamespaces a\nnamespace_labels b=c\n}",
            "plugin/kubernetes: namespaces and namespace_labels cannot both be set",
        ),
        ("forward . dns.corp", 'plugin/forward: not an IP address or file: "dns.corp"'),
        ("forward . /etc/none", 'plugin/forward: not an IP address or file: "/etc/none"'),
        (
            "forward .",
            f"plugin/forward: {HERE}:2 - Error during parsing: {WORDS} '.'",
        ),
        (
            "forward . 1.1.1.1 {\npolicy best\n}",
            f"plugin/forward: {HERE}:3 - Error during parsing: unknown policy 'best'",
        ),
        (
            "forward . 1.1.1.1 {\nmax_fails -1\n}",
            "plugin/forward: max_fails can't be negative: -1",
        ),
        (
            f"forward . {'1.1.1.1 ' * 16}",
            "plugin/forward: more than 15 TOs configured: 16",
        ),
        ("rewrite name regex ( x", "plugin/rewrite: invalid regex pattern in a name rule: ("),
        ("rewrite colour a b", 'plugin/rewrite: invalid rule type "colour"'),
        ("cache 0", "plugin/cache: cache TTL can not be zero or negative: 0"),
        (
            "cache {\nprefetch 10 1m 95%\n}",
            "plugin/cache: percentage should fall in range [10, 90]: 95",
        ),
        (
            "cache {\nsuccess\n}",
            f"plugin/cache: {HERE}:3 - Error during parsing: {WORDS} 'success'",
        ),
        (
            "cache {\nsuccess many\n}",
            'plugin/cache: strconv.Atoi: parsing "many": invalid syntax',
        ),
        (
            "cache {\nserve_stale 1h sometimes\n}",
            "plugin/cache: invalid value for serve_stale refresh mode: sometimes",
        ),
        ("cache\ncache", "plugin/cache: this plugin can only be used once per Server Block"),
        ("errors loudly", f"plugin/errors: {HERE}:2 - Error during parsing: {WORDS} 'loudly'"),
        (
            "log {\nclass some\n}",
            f"plugin/log: {HERE}:3 - Error during parsing: {WORDS} 'some'",
        ),
        (
            "template IN A {\nanswer\n}",
            f"plugin/template: {HERE}:3 - Error during parsing: {WORDS} 'answer'",
        ),
        ("loadbalance fair", f"plugin/loadbalance: {HERE}:2 - Error during parsing: "
         "unknown policy: fair"),
        ("bind eth7", "plugin/bind: not a valid IP address or interface name: 'eth7'"),
        ("bufsize 100", f"plugin/bufsize: {HERE}:2 - Error during parsing: "
         "must be within 512 - 4096"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_plugin_and_line(lines: str, message: str) -> None:
    with pytest.raises(CorefileError, match=f"^{re.escape(message)}$"):
        Served(f".:53 {{\n{lines}\n}}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("reload 1s", "plugin/reload: interval value must be greater or equal to 2s"),
        ("reload 30s 0s", "plugin/reload: jitter value must be greater or equal to 1s"),
        ("reload soon", 'plugin/reload: time: invalid duration "soon"'),
        ("health 8080", "plugin/health: address 8080: missing port in address"),
    ],
)
def test_so_it_is_for_the_plugins_that_answer_nothing(line: str, message: str) -> None:
    with pytest.raises(CorefileError, match=f"^{re.escape(message)}$"):
        settings_of(parse(f".:53 {{\n{line}\n}}"))


def test_a_server_block_cannot_be_there_twice() -> None:
    with pytest.raises(CorefileError, match=r"^cannot serve dns://\.:53 - it is already defined$"):
        parse(".:53 {\n}\n.:53 {\n}")


def test_health_may_be_asked_at_an_address() -> None:
    settings = settings_of(parse(".:53 {\nhealth 169.254.20.10:8080 {\nlameduck 5s\n}\n}"))
    assert (settings.health, settings.lameduck) == (("169.254.20.10", 8080), 5.0)
