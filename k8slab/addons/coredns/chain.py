"""The chain of plugins of one server block: who is asked for a name, in which order.

    errors( log( loadbalance( cache( rewrite( kubernetes( loop( forward )))))))

The order is CoreDNS' own and compiled in (`corefile.ORDER`): a Corefile says which plugins there
are, and never which comes first. What the last one passes on, nobody answers: SERVFAIL.

Rule of use: making a chain sets its plugins up; what is not right raises CorefileError.

Upstream: coredns plugin.cfg, core/dnsserver/server.go (NewServer)
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import ORDER, CorefileError, Plugin, ServerBlock, Wrong
from k8slab.addons.coredns.plugin import Failure, Handler, Next, Request, Site
from k8slab.addons.coredns.plugins import HANDLERS
from k8slab.addons.coredns.plugins.cache import Cache
from k8slab.addons.coredns.plugins.forward import Forward
from k8slab.addons.coredns.plugins.loop import Loop
from k8slab.addons.coredns.records import SERVFAIL, Answer
from k8slab.addons.coredns.settings import bufsize, listen_hosts

REPEATED = ("acl", "bind", "forward", "log", "rewrite", "template", "view")
# They answer nothing, or are about what the lab does not have: traces, profiles, TLS.
SILENT = (
    "bind", "bufsize", "cancel", "debug", "dnstap", "health", "metadata", "multisocket", "on",
    "pprof", "prometheus", "ready", "reload", "root", "timeouts", "trace",
)  # fmt: skip


class Chain:
    """The plugins that answer questions, for one server block."""

    def __init__(self, block: ServerBlock, site: Site) -> None:
        """Set the plugins up. Raises CorefileError."""
        self.block = block
        self.hosts = listen_hosts(block, site.process)
        self.max_size = bufsize(block)
        self.handlers: list[Handler] = []
        self.left_out = tuple(
            name
            for name in dict.fromkeys(plugin.name for plugin in block.plugins)
            if name not in HANDLERS and name not in SILENT
        )
        for name in ORDER:
            stanzas = block.stanzas(name)
            if len(stanzas) > 1 and name not in REPEATED:
                message = "this plugin can only be used once per Server Block"
                raise CorefileError(f"plugin/{name}: {message}")
        self.serve = self._build(site)

    @property
    def answers(self) -> bool:
        """Whether there is a plugin that could."""
        return bool(self.handlers)

    @property
    def forwarders(self) -> tuple[Forward, ...]:
        """Its forward plugins."""
        return tuple(each for each in self.handlers if isinstance(each, Forward))

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Its loop plugin, if it has one."""
        return tuple(each for each in self.handlers if isinstance(each, Loop))

    @property
    def caches(self) -> tuple[Cache, ...]:
        """Its cache plugin, if it has one."""
        return tuple(each for each in self.handlers if isinstance(each, Cache))

    def _build(self, site: Site) -> Next:
        """Put the plugins around one another, the last one first."""
        names = [name for name in ORDER if name in HANDLERS and self.block.stanzas(name)]
        following = _nobody(names[-1] if names else "")
        for name in reversed(names):
            stanzas = self.block.stanzas(name)
            parts = [[each] for each in stanzas] if name == "forward" else [list(stanzas)]
            for part in reversed(parts):
                handler = _set_up(name, part, site, following)
                self.handlers.insert(0, handler)
                following = handler.serve
        return following


def _set_up(name: str, stanzas: Sequence[Plugin], site: Site, following: Next) -> Handler:
    try:
        return HANDLERS[name](stanzas, site, following)
    except Wrong as error:
        raise CorefileError(f"plugin/{name}: {error}") from None


def _nobody(last: str) -> Next:
    """Return the end of a chain."""

    async def serve(request: Request) -> Answer:
        raise Failure(SERVFAIL, f"plugin/{last}: no next plugin found")

    return serve
