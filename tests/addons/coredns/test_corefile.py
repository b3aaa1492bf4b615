from __future__ import annotations

import pytest

from k8slab.addons.coredns.corefile import CorefileError, ServerBlock, parse
from k8slab.addons.coredns.kubernetes import Config
from k8slab.addons.coredns.plugins.kubernetes import config_of

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
    assert (one.keys, two.keys) == (((".", 53),), (("example.org.", 1053),))
    assert [plugin.name for plugin in one.plugins] == ["errors", "health", "kubernetes", "forward"]
    assert one.plugin("health").values("lameduck") == ("5s",)
    assert two.plugin("errors") is None


def settings(block: ServerBlock) -> Config:
    return config_of(block.stanzas("kubernetes")[0], block.zones)


def test_the_kubernetes_block_becomes_settings() -> None:
    config = settings(parse(KUBEADM)[0])
    assert (config.ttl, config.pods) == (30, "insecure")
    assert config.falls_through("1.0.0.10.in-addr.arpa.")
    assert not config.falls_through("web.default.svc.cluster.local.")


def test_without_settings_the_plugin_has_coredns_own_defaults() -> None:
    config = settings(parse("cluster.local {\n kubernetes\n}")[0])
    assert (config.zones, config.ttl, config.pods) == (("cluster.local.",), 5, "disabled")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".:53 {\n kubernets cluster.local\n}", "Corefile:2 .*Unknown directive 'kubernets'"),
        (
            ".:53 {\n errors\n",
            "Corefile:2 - Syntax error: Unexpected token 'errors', expecting '}'",
        ),
        (".:53 {\n cache {\n success 10\n", "Corefile:3 .*Unexpected EOF"),
        (".:53 {\n errors }\n}", "Corefile:2 .*Unexpected '}' because no matching opening brace"),
        (".:fifty {\n}", "invalid port 'fifty'"),
        (".:53 {\n import nowhere\n}", "Corefile:2 .*File to import not found: nowhere"),
        (".:53 {\n import\n}", "Corefile:2 .*Wrong argument count .* after 'import'"),
        ("tls://example.org {\n}", "Corefile:1 .*the lab serves dns:// only"),
    ],
)
def test_mistakes_are_named_with_their_line(text: str, message: str) -> None:
    with pytest.raises(CorefileError, match=message):
        parse(text)


def test_lines_are_imported_from_snippets_and_files() -> None:
    text = "(common) {\n errors\n log\n}\n.:53 {\n import common\n import more.conf\n}\n"
    (block,) = parse(text, "/etc/coredns/Corefile", lambda path: f"cache 30\n# {path}\nloop")
    assert [plugin.name for plugin in block.plugins] == ["errors", "log", "cache", "loop"]


def test_lines_of_a_plugin_may_be_imported_too() -> None:
    text = "\n.:53 {\n forward . 10.0.0.1 {\n import more\n policy random\n }\n}"
    (block,) = parse(text, "/etc/coredns/Corefile", lambda path: "\n\n\n\nforce_tcp\n")
    assert block.plugins[0].properties == (("force_tcp",), ("policy", "random"))


def test_a_directive_of_an_imported_file_is_named_with_that_file() -> None:
    with pytest.raises(CorefileError, match=r"more\.conf:1 .*Unknown directive 'cahe'"):
        parse(".:53 {\n import more.conf\n}", "/etc/coredns/Corefile", lambda path: "cahe 30")


def test_words_may_be_quoted_escaped_and_of_the_environment() -> None:
    text = '.:{$PORT} {\n template IN A {\n  answer "{{ .Name }} 60 \\"x\\" {$ZONE}"\n }\n}'
    (block,) = parse(text, environment={"PORT": "1053", "ZONE": "example."})
    assert block.keys == ((".", 1053),)
    assert block.plugins[0].properties == (("answer", '{{ .Name }} 60 "x" example.'),)


def test_a_block_may_have_many_keys_and_a_file_no_braces() -> None:
    (block,) = parse("example.org, 10.1.0.0/15\ncache\n")
    assert block.zones == ("example.org.", "0.10.in-addr.arpa.", "1.10.in-addr.arpa.")
    assert parse("a.example:53 b.example:54 {\n}")[0].keys == (
        ("a.example.", 53),
        ("b.example.", 54),
    )
