"""What a Pod calls itself."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.core import Pod
from k8slab.node.kubelet.hostname import host_name_and_domain, hosts_file, kernel_name
from tests.node.kubelet.lab import Lab, shell

DOMAIN = "cluster.local"
LONG = f"{'a' * 62}.more"


def pod(name: str = "web", **spec: Any) -> Pod:
    meta = {"name": name, "namespace": "shop"}
    found = load({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    assert isinstance(found, Pod)
    return found


@pytest.mark.parametrize(
    ("asked", "name", "domain"),
    [
        (pod(), "web", ""),
        (pod(LONG), "a" * 62, ""),
        (pod(hostname="db-0"), "db-0", ""),
        (pod(hostname="db-0", subdomain="db"), "db-0", "db.shop.svc.cluster.local"),
        (pod(subdomain="db"), "web", "db.shop.svc.cluster.local"),
        (pod(subdomain="db", hostnameOverride="my.own.name"), "my.own.name", ""),
    ],
)
def test_name_and_domain(asked: Pod, name: str, domain: str) -> None:
    assert host_name_and_domain(asked, DOMAIN) == (name, domain)


def test_the_full_name_may_be_the_hosts_if_it_is_not_too_long() -> None:
    full = pod(hostname="db-0", subdomain="db", setHostnameAsFQDN=True)
    assert kernel_name(full, DOMAIN) == "db-0.db.shop.svc.cluster.local"
    long = pod(hostname="d" * 50, subdomain="db", setHostnameAsFQDN=True)
    with pytest.raises(ValueError, match="64 characters is the max, 76 characters requested"):
        kernel_name(long, DOMAIN)


def test_the_hosts_file() -> None:
    aliases = [{"ip": "10.1.2.3", "hostnames": ["foo.remote", "bar.remote"]}]
    asked = pod(hostname="db-0", subdomain="db", hostAliases=aliases)
    assert hosts_file(asked, ["10.244.1.2"], DOMAIN, "") == (
        "# Kubernetes-managed hosts file.\n"
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\n"
        "fe00::1\tip6-allnodes\n"
        "fe00::2\tip6-allrouters\n"
        "10.244.1.2\tdb-0.db.shop.svc.cluster.local\tdb-0\n"
        "\n"
        "# Entries added by HostAliases.\n"
        "10.1.2.3\tfoo.remote\tbar.remote\n"
    )


def test_on_the_hosts_network_the_file_is_the_hosts() -> None:
    asked = pod(hostNetwork=True)
    found = hosts_file(asked, [], DOMAIN, "127.0.0.1\tlocalhost\n10.0.0.9\tprinter\n")
    assert found.splitlines()[0] == "# Kubernetes-managed hosts file (host network)."
    assert found.endswith("10.0.0.9\tprinter\n")


# -- on a node


def logged(lab: Lab) -> list[str]:
    (found,) = lab.runtime.containers()
    return [line.text for line in lab.runtime.log(found.id)]


def test_a_process_finds_its_name_in_the_system_and_in_its_hosts_file(lab: Lab) -> None:
    aliases = [{"ip": "10.1.2.3", "hostnames": ["foo.remote"]}]
    script = "hostname; grep remote /etc/hosts; sleep 99"
    lab.run_pod(shell(script), hostname="db-0", hostAliases=aliases)
    lab.run(5)
    assert logged(lab) == ["db-0", "10.1.2.3\tfoo.remote"]


def test_a_full_name_that_is_too_long_keeps_the_sandbox_from_being_made(lab: Lab) -> None:
    lab.run_pod(shell("sleep 9"), hostname="d" * 60, subdomain="s", setHostnameAsFQDN=True)
    lab.run(5)
    reason, message = lab.events()[-1]
    assert reason == "FailedCreatePodSandBox"
    assert "failed to construct FQDN from pod hostname and cluster domain" in message
