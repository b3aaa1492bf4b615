from __future__ import annotations

import pytest

from k8slab.addons.coredns.corefile import CorefileError, parse
from k8slab.addons.coredns.plugins import config_of

KUBEADM = """
.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure      # any address that looks right
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    forward . /etc/resolv.conf
}
example.org:1053 {
    log
}
"""


def test_server_blocks_have_zones_ports_and_plugins() -> None:
    one, two = parse(KUBEADM)
    assert (one.zones, one.port, two.zones, two.port) == ((".",), 53, ("example.org.",), 1053)
    assert [plugin.name for plugin in one.plugins] == ["errors", "health", "kubernetes", "forward"]
    assert one.plugin("health").values("lameduck") == ("5s",)
    assert two.plugin("errors") is None


def test_the_kubernetes_block_becomes_settings() -> None:
    config = config_of(parse(KUBEADM)[0])
    assert config is not None
    assert (config.ttl, config.pods) == (30, "insecure")
    assert config.falls_through("1.0.0.10.in-addr.arpa.")
    assert not config.falls_through("web.default.svc.cluster.local.")


def test_without_settings_the_plugin_has_coredns_own_defaults() -> None:
    config = config_of(parse("cluster.local {\n kubernetes\n}")[0])
    assert config is not None
    assert (config.zones, config.ttl, config.pods) == (("cluster.local.",), 5, "disabled")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".:53 {\n kubernets cluster.local\n}", "Corefile:2 .*Unknown directive 'kubernets'"),
        (".:53 {\n errors\n", "Corefile:2 .*unexpected EOF"),
        (".:fifty {\n}", "Corefile:1 .*expected a zone"),
        ("errors\n", "Corefile:1 .*opens with"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(CorefileError, match=message):
        parse(text)
