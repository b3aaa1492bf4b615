"""Who else has changed the rules: kube-proxy's canary, and the full sync of each hour.

Three chains KUBE-PROXY-CANARY, one in each table, hold no rule. Somebody who flushes the rules (a
firewall that restarts, a learner) takes them away too. Every `sync_period` kube-proxy looks for
the one in mangle; when it is gone, everything is written anew.

A canary that lives costs nothing here: the look is taken only after somebody has edited the rules.

Once an hour everything is written anew in any case: a single rule that somebody deleted comes back
then.

Rule of use: `CanaryMonitor(...).run()` and `full_syncs(...)` beside the loop, in its process.

Upstream: pkg/util/iptables/iptables.go (Monitor), pkg/proxy/util/utils.go (FullSyncPeriod)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from k8slab.linux.edits import Edits
from k8slab.linux.netfilter import Ruleset
from k8slab.node.kube_proxy.chains import PROXY_CANARY
from k8slab.sim import Signal, Simulation

TABLES = ("mangle", "nat", "filter")
FULL_SYNC_PERIOD = 3600.0  # s
FLUSH_POLL, FLUSH_TIMEOUT = 0.1, 5.0  # s, iptablesFlushPollTime, iptablesFlushTimeout


class CanaryMonitor:
    """Looks after the canaries of one family."""

    def __init__(
        self,
        sim: Simulation,
        name: str,
        ruleset: Ruleset,
        interval: float,
        reload: Callable[[str], Awaitable[None]],
    ) -> None:
        """Prepare; `reload` writes all rules anew, canaries included, and notes why."""
        self._sim = sim
        self._name = name
        self._ruleset = ruleset
        self._interval = interval
        self._reload = reload
        self._gone = Signal(sim, f"{name}: canary")

    async def run(self) -> None:
        """Watch for ever."""
        stop = self._ruleset.edits.add(self._look)
        started = self._sim.now
        try:
            while True:
                await self._gone.wait()
                self._gone = Signal(self._sim, f"{self._name}: canary")
                left = self._interval - (self._sim.now - started) % self._interval
                await self._sim.sleep(left, f"{self._name}: look at {PROXY_CANARY}")
                if self._is_there(TABLES[0]):
                    continue
                await self._wait_for_the_others()
                await self._reload("somebody has flushed them")
                started = self._sim.now
        finally:
            stop()

    def _look(self) -> None:
        if not self._is_there(TABLES[0]):
            self._gone.set()

    def _is_there(self, table: str) -> bool:
        return self._ruleset.chain(table, PROXY_CANARY) is not None

    async def _wait_for_the_others(self) -> None:
        """Return when all canaries are gone, for a flush goes table by table, or soon anyway."""
        until = self._sim.now + FLUSH_TIMEOUT
        while self._sim.now < until and any(map(self._is_there, TABLES)):
            await self._sim.sleep(FLUSH_POLL, f"{self._name}: flush under way")


async def full_syncs(
    sim: Simulation,
    name: str,
    edits: Edits,
    edited: Callable[[], bool],
    reload: Callable[[str], Awaitable[None]],
) -> None:
    """Reload at each full hour after the start, if others have edited the rules since.

    `edited` is asked after each edit whether there was any but kube-proxy's own.
    """
    started, touched = sim.now, Signal(sim, f"{name}: edits")

    def note() -> None:
        if edited():
            touched.set()

    stop = edits.add(note)
    try:
        while True:
            await touched.wait()
            left = FULL_SYNC_PERIOD - (sim.now - started) % FULL_SYNC_PERIOD
            await sim.sleep(left, f"{name}: full sync")
            touched = Signal(sim, f"{name}: edits")
            await reload("the full sync of each hour")
    finally:
        stop()
