"""hostPort: a port of the node that leads to one Pod.

One chain per sandbox, CNI-DN-..., is called from CNI-HOSTPORT-DNAT, which PREROUTING and OUTPUT
ask for packets to the node's own addresses. Pods of the node, and the node itself, are
masqueraded on the way, so that the answer comes back through the node.

Rule of use: `install` and `uninstall` change the nat table of the host; `rules` is pure.

Upstream: containernetworking/plugins plugins/meta/portmap
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from k8slab.linux.netns import NetNamespace

TOP, MARK_CHAIN, MASQ_CHAIN = "CNI-HOSTPORT-DNAT", "CNI-HOSTPORT-SETMARK", "CNI-HOSTPORT-MASQ"
MARK = "0x2000/0x2000"
CHAIN_DIGITS = 21  # of the hash: an iptables chain has at most 28 characters
_HEAD = f"""*nat
:{TOP} - [0:0]
:{MARK_CHAIN} - [0:0]
:{MASQ_CHAIN} - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j {TOP}
-A OUTPUT -m addrtype --dst-type LOCAL -j {TOP}
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j {MASQ_CHAIN}
-A {MARK_CHAIN} -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark {MARK}
-A {MASQ_CHAIN} -m mark --mark {MARK} -j MASQUERADE
COMMIT
"""

Mapping = tuple[str, str, int, int]  # protocol, host ip, host port, container port


def chain_name(sandbox_id: str) -> str:
    """Return the name of a sandbox's chain."""
    return f"CNI-DN-{hashlib.sha512(f'kindnet{sandbox_id}'.encode()).hexdigest()[:CHAIN_DIGITS]}"


def rules(sandbox_id: str, ip: str, mappings: Sequence[Mapping]) -> str:
    """Return the sandbox's rules as text for `iptables-restore --noflush`."""
    chain = chain_name(sandbox_id)
    lines = ["*nat", f":{chain} - [0:0]"]
    for protocol, host_ip, host_port, port in mappings:
        name = protocol.lower()
        where = f"-d {host_ip}/32 " if host_ip not in ("", "0.0.0.0") else ""
        match = f"{where}-p {name} -m {name} --dport {host_port}"
        subnet = f"{ip.rpartition('.')[0]}.0/24"
        lines += [
            f"-A {chain} -s {subnet} {match} -j {MARK_CHAIN}",
            f"-A {chain} -s 127.0.0.1/32 {match} -j {MARK_CHAIN}",
            f"-A {chain} {match} -j DNAT --to-destination {ip}:{port}",
        ]
    for name in dict.fromkeys(mapping[0].lower() for mapping in mappings):
        ports = ",".join(str(mapping[2]) for mapping in mappings if mapping[0].lower() == name)
        comment = f'dnat name: "kindnet" id: "{sandbox_id[:12]}"'.replace('"', "")
        lines.append(
            f'-A {TOP} -p {name} -m comment --comment "{comment}" '
            f"-m multiport --dports {ports} -j {chain}"
        )
    return "\n".join([*lines, "COMMIT", ""])


def install(net: NetNamespace, sandbox_id: str, ip: str, mappings: Sequence[Mapping]) -> None:
    """Let the host's ports lead to the Pod."""
    if f":{TOP} " not in net.iptables_save("nat"):
        net.iptables_restore(_HEAD, noflush=True)
    net.route_localnet = True  # the plugin sets it, so that 127.0.0.1 may be rewritten
    net.iptables_restore(rules(sandbox_id, ip, mappings), noflush=True)


def uninstall(net: NetNamespace, sandbox_id: str) -> None:
    """Take the sandbox's rules away."""
    chain = chain_name(sandbox_id)
    kept = [
        line
        for line in net.iptables_save("nat").splitlines()
        if line.startswith(f"-A {TOP} ") and not line.endswith(f"-j {chain}")
    ]
    lines = ["*nat", f":{TOP} - [0:0]", f":{chain} - [0:0]", *kept, "COMMIT", ""]
    net.iptables_restore("\n".join(lines), noflush=True)
