"""A shell on a machine: the commands with which one looks at a real node.

    cluster.node("worker-1").shell("iptables-save -t nat")
    cluster.node("worker-1").shell("crictl ps")

Rule of use: the text is what the real tools print; what changes rules is recorded.

Upstream: iproute2, iptables, conntrack-tools, cri-tools, systemd
"""

from __future__ import annotations

import re

from k8slab.api.meta import timestamp
from k8slab.cluster.recording import HasRecording
from k8slab.cluster.world import Host
from k8slab.linux import commands
from k8slab.linux.netns import NetNamespace
from k8slab.node.machine import Machine

PING_LIMIT = 3600.0  # virtual seconds
QUOTED = re.compile(r'''\\.|'[^']*'|"[^"]*"''')
SEVERAL = re.compile(r"[|;&<>]")
ONE_AT_A_TIME = (
    "sh: one command at a time, without {0!r}. Choose lines in Python: "
    "[line for line in text.splitlines() if 'web' in line]"
)


class Text(str):
    """Text that a notebook shows as it is, line by line."""

    def __repr__(self) -> str:
        return str(self)


class NodeShell:
    """One machine, as root sees it."""

    def __init__(self, host: Host, cluster: HasRecording) -> None:
        self._host = host
        self._cluster = cluster  # its turn is held while a command runs: it may move by itself

    @property
    def machine(self) -> Machine:
        """The machine itself."""
        return self._host.machine

    @property
    def net(self) -> NetNamespace:
        """The network namespace of the host itself."""
        return self._host.machine.net

    def shell(self, command: str) -> Text:
        """Run ip, iptables-save, nft, conntrack, ss, ping, crictl, journalctl, ls, cat, ..."""
        with self._cluster.turn:
            if not commands.changes(command):
                return self._run(command)
            # Rules and packets change the machines, so this is an input of the run.
            with self._cluster.recording.input("shell", (self.machine.name, command), {}):
                return self._run(command)

    def _run(self, command: str) -> Text:
        words = command.split()
        if not words:
            return Text("")
        several = SEVERAL.search(QUOTED.sub("", command))
        if several is not None:
            return Text(ONE_AT_A_TIME.format(several[0]))
        if words[0] == "crictl":
            from k8slab.node.runtime import crictl

            return Text(crictl.run(self._host.containerd, command))
        if words[0] == "journalctl":
            return Text(self._journal(words))
        if words[0] == "hostname":
            return Text(self._host.machine.name)
        if words[0] in ("ls", "cat"):
            return Text(self._files(words[0], words[1] if len(words) > 1 else "/"))
        if words[0] == "ping":
            sim = self._host.machine.sim
            return Text(sim.complete(commands.run(self.net, command), command, PING_LIMIT))
        return Text(commands.shell(self.net, command))

    def _journal(self, words: list[str]) -> str:
        """Return what the kubelet has done, as its journal tells it."""
        name = self._host.machine.name
        unit = words[words.index("-u") + 1] if "-u" in words[:-1] else "kubelet"
        component = f"{unit.removesuffix('.service')}/{name}"
        lines = [
            f"{timestamp(r.time)} {name} {unit}[812]: {r.verb} {r.subject} {r.detail}".rstrip()
            for r in self._host.machine.sim.trace
            if r.component == component
        ]
        return "\n".join(lines) or "-- No entries --"

    def _files(self, command: str, path: str) -> str:
        disk = self._host.machine.disk
        try:
            if command == "cat":
                return str(disk.read(path))
            below = path.strip("/") + "/" if path.strip("/") else ""
            names = [name.removeprefix(below).partition("/")[0] for name in disk.list(path)]
            return "\n".join(dict.fromkeys(names))
        except FileNotFoundError:
            return f"{command}: {path}: No such file or directory"
