"""Schedules such as "*/5 * * * *": minute, hour, day of the month, month, day of the week.

`Schedule.parse` reads one; `next_after` says when its next time is. A day matches if both day
fields do; if neither of them begins with a star, one of the two is enough.

    >>> weekly = Schedule.parse("30 8 * * mon")
    >>> weekly.next_after(0.0) / 3600 / 24  # 2026-01-01 is a Thursday
    4.354166666666667

Rule of use: `@every 90s` counts from the last time, all others from the clock on the wall.

Upstream: github.com/robfig/cron/v3 (parser.go, spec.go)
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

import msgspec

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)  # virtual time 0
DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
NAMES = {3: {name: i + 1 for i, name in enumerate(MONTHS)}, 4: {n: i for i, n in enumerate(DAYS)}}
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}  # s
MAX_YEARS = 5  # after which a schedule counts as having no next time (31 February)


class Schedule(msgspec.Struct, frozen=True):
    """The times that a schedule names."""

    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    either_day: bool = False  # neither day field begins with a star
    period: float = 0.0  # s, of @every

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule that the API server has accepted; ValueError if it is none."""
        if text.startswith("@every "):
            return cls(period=max(float(int(_duration(text[len("@every ") :]))), 1.0))
        fields = DESCRIPTORS.get(text, text).split()
        if len(fields) != len(BOUNDS):
            raise ValueError(f"expected five fields such as 0 8 * * 1, got {text!r}")
        minutes, hours, days, months, weekdays = (
            _numbers(field, index) for index, field in enumerate(fields)
        )
        stars = fields[2][0] in "*?" or fields[4][0] in "*?"
        return cls(minutes, hours, days, months, weekdays, not stars)

    def next_after(self, now: float, zone: tzinfo = UTC) -> float | None:
        """Return the first time after `now`, both in virtual seconds; None if there is none."""
        if self.period:
            return float(int(now)) + self.period
        moment = (EPOCH + timedelta(seconds=int(now // 60) * 60 + 60)).astimezone(zone)
        last = moment.year + MAX_YEARS
        while moment.year <= last:
            if moment.month not in self.months:
                moment = (moment.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(
                    day=1
                )
            elif not self._is_day(moment):
                moment = moment.replace(hour=0, minute=0) + timedelta(days=1)
            elif moment.hour not in self.hours:
                moment = moment.replace(minute=0) + timedelta(hours=1)
            elif moment.minute not in self.minutes:
                moment += timedelta(minutes=1)
            else:
                return (moment.astimezone(UTC) - EPOCH).total_seconds()
        return None

    def _is_day(self, moment: datetime) -> bool:
        of_month = moment.day in self.days
        of_week = moment.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either_day else of_month and of_week


def _numbers(field: str, index: int) -> tuple[int, ...]:
    """Return the numbers that a field such as "1-5,*/20" stands for."""
    lowest, highest = BOUNDS[index]
    found: list[int] = []
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, dash, end = span.partition("-")
        if first in ("*", "?"):
            start, stop = lowest, highest
        else:
            start = _number(first, index)
            stop = _number(end, index) if dash else (highest if step else start)
        found.extend(range(start, stop + 1, int(step or 1)))
    return tuple(sorted(dict.fromkeys(found)))


def _number(text: str, index: int) -> int:
    names = NAMES.get(index, {})
    return names[text.lower()] if text.lower() in names else int(text)


def _duration(text: str) -> float:
    """Return a duration such as "1h30m" in seconds."""
    parts = re.findall(r"([0-9.]+)(ns|us|ms|s|m|h)", text)
    return sum(float(number) * UNITS[unit] for number, unit in parts)
