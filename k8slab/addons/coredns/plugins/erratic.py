"""The erratic plugin: a server that misbehaves on purpose, to see how clients bear it.

    erratic {
        drop 3          # every third question gets no answer (2 without a number)
        delay 2 250ms   # every second one has to wait
        truncate 2      # every second one is told to ask again by TCP
    }

Upstream: coredns plugin/erratic
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import Plugin, Setting
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.plugins.acl import DROPPED
from k8slab.addons.coredns.records import NOERROR, Answer, Record

EVERY = 2
DELAY = 0.1  # s
ADDRESSES = {"A": "192.0.2.53", "AAAA": "2001:db8::53"}


class Erratic:
    """Answers with an address of documentation, but not always."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._site = site
        self._every = {"drop": 0, "delay": 0, "truncate": 0}
        self._delay = DELAY
        self._asked = 0
        settings = list(stanzas[0].settings)
        for setting in settings:
            if setting.name == "large":
                continue
            if setting.name not in self._every:
                raise setting.unknown()
            self._every[setting.name] = _amount(setting)
            if setting.name == "delay" and len(setting.words) > 1:
                self._delay = setting.seconds(1)
        if not settings:
            self._every["drop"] = EVERY

    async def serve(self, request: Request) -> Answer:
        """Drop, delay or truncate: whose turn it is."""
        number = self._asked
        self._asked += 1
        if self._turn("drop", number):
            raise Failure(DROPPED)
        if self._turn("delay", number):
            await self._site.process.sim.sleep(self._delay, "erratic")
        truncated = self._turn("truncate", number)
        address = ADDRESSES.get(request.type)
        records = (Record(request.name, request.type, 0, address),) if address else ()
        return Answer(NOERROR, records, authoritative=True, truncated=truncated)

    def _turn(self, what: str, number: int) -> bool:
        every = self._every[what]
        return every > 0 and number % every == 0


def _amount(setting: Setting) -> int:
    if len(setting.words) > (2 if setting.name == "delay" else 1):
        raise setting.wrong_count()
    if not setting.words:
        return EVERY
    amount = setting.number()
    if amount < 0:
        raise setting.wrong(f"illegal amount value given {setting.words[0]!r}".replace("'", '"'))
    return amount
