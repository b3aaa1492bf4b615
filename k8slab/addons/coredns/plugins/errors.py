r"""The errors plugin: what went wrong is logged, with the question.

    [ERROR] plugin/errors: 2 example.com. A: read udp 10.244.0.2:41207->10.0.0.53:53: i/o timeout

The number is the rcode: 2 is SERVFAIL, 5 REFUSED. Errors that come by the hundred can be counted
in their stead: `consolidate 30s ".* i/o timeout$" warning`.

Upstream: coredns plugin/errors
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong, seconds
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import Answer
from k8slab.linux.dns_wire import RCODES

LEVELS = ("warning", "error", "info", "debug")


class Pattern(msgspec.Struct):
    """Errors that are counted: how long, which, and how many there were."""

    period: float  # s
    words: str
    level: str
    count: int = 0


class Errors:
    """Logs what the plugins behind it could not do."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        if stanzas[0].args:
            raise stanzas[0].head.wrong_count()
        self._patterns: list[Pattern] = []
        for setting in stanzas[0].settings:
            if setting.name == "consolidate":
                self._patterns.append(_pattern(setting))
            elif setting.name != "stacktrace":
                raise setting.wrong_count()

    async def serve(self, request: Request) -> Answer:
        """Return the next plugin's answer; a failure is logged and goes on."""
        try:
            return await self._next(request)
        except Failure as failure:
            if failure.words:
                number = RCODES.get(failure.rcode, 0)
                self._log(failure.words, f"{number} {request.name} {request.type}: {failure.words}")
            raise

    def _log(self, error: str, line: str) -> None:
        for pattern in self._patterns:
            if re.search(pattern.words, error):
                if not pattern.count:
                    sim = self._site.process.sim
                    sim.after(pattern.period, partial(self._tell, pattern), "coredns: errors")
                pattern.count += 1
                return
        self._site.process.log(f"[ERROR] plugin/errors: {line}")

    def _tell(self, pattern: Pattern) -> None:
        count, pattern.count = pattern.count, 0
        period = f"{pattern.period:g}s"
        self._site.process.log(
            f"[{pattern.level.upper()}] plugin/errors: {count} errors like '{pattern.words}' "
            f"occurred in last {period}"
        )


def _pattern(setting: Setting) -> Pattern:
    if len(setting.words) not in (2, 3):
        raise setting.wrong_count()
    period, words, level = (*setting.words, "error")[:3]
    try:
        re.compile(words)
    except re.error as error:
        raise setting.wrong(f"error parsing regexp: {error}") from None
    if level not in LEVELS:
        raise setting.wrong(f"unknown log level {level} in consolidate")
    try:
        return Pattern(seconds(period), words, level)
    except Wrong as error:
        raise setting.wrong(str(error)) from None
