"""The cache plugin: answers are kept for their TTL, at most for what the Corefile allows.

    cache 30 {                          at most 30 s, whatever the TTL says
        disable success cluster.local   names of the cluster are always asked anew
        denial 9984 5                   how many names that do not exist, and for how long
        prefetch 10 1m 10%              what is asked often is fetched before it is over
        serve_stale 1h                  better an old answer than none: with TTL 0
    }

What does not exist is remembered too, for as long as the SOA record in the answer says; a SERVFAIL
that another server answered, for five seconds. That no server answered is not remembered.

Rule of use: time is virtual; an entry that is over stays until somebody asks for it.

Upstream: coredns plugin/cache
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong, all_zones
from k8slab.addons.coredns.names import absolute, matches
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, SERVFAIL, Answer, Record

MAX_TTL, MAX_DENIAL_TTL = 3600, 1800  # s, plugin/cache maxTTL and maxNTTL
MIN_TTL = 5  # s, plugin/cache minTTL and minNTTL
SERVFAIL_TTL = 5.0  # s, plugin/cache failttl
MAX_SERVFAIL_TTL = 300.0  # s
STALE_UP_TO = 3600.0  # s, serve_stale without a duration
CAPACITY = 9984  # entries of each kind, plugin/cache defaultCap
SUCCESS, DENIAL = "success", "denial"
Key = tuple[str, str, str, bool]  # name, type, class, whether signatures are wanted


class Kind(msgspec.Struct):
    """What the Corefile says of one kind of answers: capacity, TTLs, zones that are not kept."""

    max_ttl: int  # s
    min_ttl: int = MIN_TTL  # s
    capacity: int = CAPACITY
    disabled: tuple[str, ...] = ()


class Settings(msgspec.Struct):
    """What the Corefile says of the whole cache."""

    zones: tuple[str, ...]
    success: Kind
    denial: Kind
    servfail: float = SERVFAIL_TTL  # s
    prefetch: int = 0  # questions that make a name popular, 0: nothing is fetched ahead
    gap: float = 60.0  # s between two questions that makes the counting begin anew
    percentage: int = 10  # of the TTL that is left when it is fetched
    stale_up_to: float = 0.0  # s, 0: nothing stale is served
    verify: bool = False  # ask first, and serve what is stale only if that fails
    keep_ttl: bool = False


class Entry(msgspec.Struct):
    """An answer, when it came (virtual seconds), and how often it was wanted."""

    answer: Answer
    stored: float
    ttl: int  # s
    hits: int = 0
    last_hit: float = 0.0

    def left(self, now: float) -> int:
        """Return the seconds that it is still good for, negative once it is over."""
        return self.ttl - int(now - self.stored)

    def popular(self, now: float, settings: Settings) -> bool:
        """Count a question, and say whether it is time to fetch the answer anew."""
        if not settings.prefetch:
            return False
        self.hits = 1 if now - self.last_hit > settings.gap else self.hits + 1
        self.last_hit = now
        threshold = math.ceil(settings.percentage / 100 * self.ttl)
        return self.hits >= settings.prefetch and self.left(now) <= threshold


class Store:
    """Answers of both kinds by name and type; pure but for the time that it is told."""

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self.settings, self._now = settings, now
        self._entries: dict[str, dict[Key, Entry]] = {SUCCESS: {}, DENIAL: {}}
        self.hits = {SUCCESS: 0, DENIAL: 0}

    def get(self, request: Request) -> Entry | None:
        """Return what is known, stale entries too if they are served; None: it must be asked."""
        now, key = self._now(), _key(request)
        for kind in (DENIAL, SUCCESS):
            entry = self._entries[kind].get(key)
            if entry is None:
                continue
            left = entry.left(now)
            if left > 0 or -left < self.settings.stale_up_to:
                self.hits[kind] += 1
                return entry
        return None

    def put(self, request: Request, answer: Answer) -> Answer:
        """Keep the answer if it may be kept; returns it as it goes out.

        Its TTLs are limited even for the first who asks: the next one would see them drop.
        """
        kind = kind_of(answer)
        limits = self.settings.denial if kind == DENIAL else self.settings.success
        ttl = self.lifetime(answer, limits)
        if kind and ttl > 0 and not matches(request.name, limits.disabled):
            entries, key = self._entries[kind], _key(request)
            old = self._entries[SUCCESS].pop(key, None) or self._entries[DENIAL].pop(key, None)
            if len(entries) >= limits.capacity:
                del entries[next(iter(entries))]
            hits, last = (old.hits, old.last_hit) if old is not None else (0, 0.0)
            entries[key] = Entry(answer, self._now(), ttl, hits, last)
        return answer if self.settings.keep_ttl else with_ttl(answer, ttl)

    def lifetime(self, answer: Answer, limits: Kind) -> int:
        """Return for how many seconds an answer is good: the least of its TTLs, within limits."""
        if answer.rcode == SERVFAIL:
            return int(self.settings.servfail)
        records = (*answer.answers, *answer.authority, *answer.additional)
        least = min((record.ttl for record in records), default=MIN_TTL)
        return min(max(least, limits.min_ttl), limits.max_ttl)

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))


class Cache:
    """Answers what it knows, and remembers what the next plugins say."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        self.store = Store(settings_of(stanzas[0], site.zones), lambda: site.now)

    async def serve(self, request: Request) -> Answer:
        """Return what is known, else ask."""
        settings = self.store.settings
        if not matches(request.name, settings.zones):
            return await self._next(request)
        entry = self.store.get(request)
        if entry is None:
            return self.store.put(request, await self._next(request))
        left = entry.left(self._site.now)
        if left <= 0:
            return await self._stale(request, entry)
        if entry.popular(self._site.now, settings):
            self._fetch(request)
        return self._again(entry, left)

    async def _stale(self, request: Request, entry: Entry) -> Answer:
        """Serve what is over: at once, or only if nobody has anything newer."""
        if not self.store.settings.verify:
            self._fetch(request)
            return self._again(entry, 0)
        try:
            answer = await self._next(request)
        except Failure:
            return self._again(entry, 0)
        if answer.rcode not in (NOERROR, NXDOMAIN):
            return self._again(entry, 0)
        return self.store.put(request, answer)

    def _again(self, entry: Entry, left: int) -> Answer:
        """Return an answer out of the cache; it says that it is authoritative, as upstream's do."""
        again = entry.answer if self.store.settings.keep_ttl else with_ttl(entry.answer, left)
        return msgspec.structs.replace(again, authoritative=True)

    def _fetch(self, request: Request) -> None:
        """Ask the next plugins again while the client has its answer already."""

        async def fetch() -> None:
            try:
                by_tcp = msgspec.structs.replace(request, protocol="tcp")  # nothing is cut off
                self.store.put(request, await self._next(by_tcp))
            except Failure:
                pass  # the old answer stays

        process = self._site.process
        process.sim.spawn(fetch(), f"{process.name}: prefetch {request.name}", process.group)


def kind_of(answer: Answer) -> str:
    """Return which kind of answer it is, "" if it may not be kept."""
    has_soa = any(record.type == "SOA" for record in answer.authority)
    if answer.truncated:
        return ""
    if answer.rcode == NOERROR:
        return SUCCESS if answer.answers or not has_soa else DENIAL
    if answer.rcode == SERVFAIL or (answer.rcode == NXDOMAIN and has_soa):
        return DENIAL
    return ""


def with_ttl(answer: Answer, ttl: int) -> Answer:
    """Return the answer with this TTL on every record."""

    def changed(records: tuple[Record, ...]) -> tuple[Record, ...]:
        if all(record.ttl == ttl for record in records):
            return records
        return tuple(msgspec.structs.replace(record, ttl=ttl) for record in records)

    answers, authority = changed(answer.answers), changed(answer.authority)
    return msgspec.structs.replace(
        answer, answers=answers, authority=authority, additional=changed(answer.additional)
    )


def settings_of(stanza: Plugin, zones: tuple[str, ...]) -> Settings:
    """Return what the stanza says. Raises Wrong."""
    args = list(stanza.args)
    limit = _ttl(int(args.pop(0))) if args and args[0].lstrip("-").isdigit() else 0
    found = Settings(
        all_zones(args) or zones,
        Kind(limit or MAX_TTL),
        Kind(limit or MAX_DENIAL_TTL),
    )
    for setting in stanza.settings:
        read = _READERS.get(setting.name)
        if read is None:
            raise setting.wrong_count()
        read(found, setting)
    return found


def _kind(found: Settings, setting: Setting) -> None:
    kind = found.success if setting.name == SUCCESS else found.denial
    kind.capacity = setting.number()
    if len(setting.words) > 1:
        kind.max_ttl = _ttl(setting.number(1))
    if len(setting.words) > 2:
        kind.min_ttl = setting.number(2)
        if kind.min_ttl < 0:
            raise Wrong(f"cache min TTL can not be negative: {kind.min_ttl}")


def _prefetch(found: Settings, setting: Setting) -> None:
    if not 1 <= len(setting.words) <= 3:
        raise setting.wrong_count()
    found.prefetch = setting.number()
    if found.prefetch < 0:
        raise Wrong(f"prefetch amount should be positive: {found.prefetch}")
    if len(setting.words) > 1:
        found.gap = setting.seconds(1)
    if len(setting.words) > 2:
        word = setting.words[2]
        if not word.endswith("%"):
            raise Wrong(f"last character of percentage should be `%`, but is: '{word[-1]}'")
        found.percentage = msgspec.structs.replace(setting, words=(word[:-1],)).number()
        if not 10 <= found.percentage <= 90:
            raise Wrong(f"percentage should fall in range [10, 90]: {found.percentage}")


def _serve_stale(found: Settings, setting: Setting) -> None:
    if len(setting.words) > 2:
        raise setting.wrong_count()
    found.stale_up_to = setting.seconds() if setting.words else STALE_UP_TO
    if found.stale_up_to < 0:
        raise Wrong("invalid negative duration for serve_stale")
    mode = setting.words[1].lower() if len(setting.words) > 1 else "immediate"
    if mode not in ("immediate", "verify"):
        raise Wrong(f"invalid value for serve_stale refresh mode: {mode}")
    found.verify = mode == "verify"


def _servfail(found: Settings, setting: Setting) -> None:
    setting.one()
    found.servfail = setting.seconds()
    if found.servfail < 0:
        raise Wrong("invalid negative ttl for servfail")
    if found.servfail > MAX_SERVFAIL_TTL:
        raise Wrong("caching SERVFAIL responses over 5 minutes is not permitted")


def _disable(found: Settings, setting: Setting) -> None:
    if not setting.words:
        raise setting.wrong_count()
    zones = tuple(map(absolute, setting.words[1:])) or found.zones
    if setting.words[0] not in (SUCCESS, DENIAL):
        raise setting.wrong_count()
    kind = found.success if setting.words[0] == SUCCESS else found.denial
    kind.disabled = zones


def _keepttl(found: Settings, setting: Setting) -> None:
    if setting.words:
        raise setting.wrong_count()
    found.keep_ttl = True


_READERS = {
    SUCCESS: _kind,
    DENIAL: _kind,
    "prefetch": _prefetch,
    "serve_stale": _serve_stale,
    "servfail": _servfail,
    "disable": _disable,
    "keepttl": _keepttl,
}


def _ttl(number: int) -> int:
    if number <= 0:
        raise Wrong(f"cache TTL can not be zero or negative: {number}")
    return number


def _key(request: Request) -> Key:
    return request.name, request.type, request.klass, request.dnssec
