"""Validation of a CronJob's schedule and time zone.

Upstream: pkg/apis/batch/validation/validation.go, github.com/robfig/cron (parser.go)
"""

from __future__ import annotations

import re
from functools import lru_cache

from k8slab.api.errors import invalid_value
from k8slab.control_plane.apiserver.validation.formats import Errors

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("dom", 1, 31), ("month", 1, 12), ("dow", 0, 6))
NAMES = {
    "month": ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    "dow": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
}
DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
ZONE_PART = re.compile(r"[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}")
ZONE_TWICE = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
ZONE_IN_SCHEDULE = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
NOT_EXPLICIT = (
    "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
)


def schedule(path: str, text: str, zone: str | None, before: str = "") -> Errors:
    """Yield what is wrong with a schedule; only one that named its zone before may do so."""
    plain = re.sub(r"^(CRON_)?TZ=\S+\s+", "", text)
    if wrong := schedule_error(plain):
        yield invalid_value(path, text, wrong)
    if "TZ" in text:
        if "TZ" not in before:
            yield invalid_value(path, text, ZONE_IN_SCHEDULE)
        elif zone is not None:
            yield invalid_value(path, text, ZONE_TWICE)


def time_zone(path: str, zone: str | None) -> Errors:
    """Yield an error if there is no such time zone."""
    if zone is None:
        return
    if not zone:
        yield invalid_value(path, zone, "timeZone must be nil or non-empty string")
    elif not _exists(zone):
        if zone.lower() == "local":
            yield invalid_value(path, zone, NOT_EXPLICIT)
        if zone != "Local":
            yield invalid_value(path, zone, f"unknown time zone {zone}")


@lru_cache(maxsize=64)
def _exists(zone: str) -> bool:
    from zoneinfo import ZoneInfo

    parts = zone.split("/")
    if not all(ZONE_PART.fullmatch(part) and part not in (".", "..") for part in parts):
        return False
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):
        return False
    return zone.lower() != "local"


def schedule_error(text: str) -> str:
    """Say why a text is no schedule, in the words of the cron library; empty if it is one.

    >>> schedule_error("nope"), schedule_error("*/5 * * * mon-fri")
    ('expected exactly 5 fields, found 1: [nope]', '')
    """
    if text.startswith("@"):
        known = text in DESCRIPTORS or re.fullmatch(r"@every ([0-9.]+(ns|us|ms|s|m|h))+", text)
        return "" if known else f"unrecognized descriptor: {text}"
    parts = text.split()
    if len(parts) != len(FIELDS):
        listed = " ".join(parts)
        return f"expected exactly 5 fields, found {len(parts)}: [{listed}]"
    for part, (name, lowest, highest) in zip(parts, FIELDS, strict=True):
        for item in part.split(","):
            wrong = _range_error(item, name, lowest, highest)
            if wrong:
                return wrong
    return ""


def _range_error(item: str, name: str, lowest: int, highest: int) -> str:
    span, *steps = item.split("/")
    ends = span.split("-")
    if len(ends) > 2:
        return f"too many hyphens: {item}"
    if len(steps) > 1:
        return f"too many slashes: {item}"
    numbers = [lowest, highest]
    if ends[0] not in ("*", "?"):
        found = [_number(end, name) for end in ends]
        for end, number in zip(ends, found, strict=True):
            if number is None:
                return (
                    f'failed to parse int from {end}: strconv.Atoi: parsing "{end}": invalid syntax'
                )
        plain = [number for number in found if number is not None]
        numbers = [plain[0], plain[-1] if len(plain) > 1 or not steps else highest]
    if steps and not steps[0].isdecimal():
        step = steps[0]
        return f'failed to parse int from {step}: strconv.Atoi: parsing "{step}": invalid syntax'
    if numbers[0] < lowest:
        return f"beginning of range ({numbers[0]}) below minimum ({lowest}): {item}"
    if numbers[1] > highest:
        return f"end of range ({numbers[1]}) above maximum ({highest}): {item}"
    if numbers[0] > numbers[1]:
        return f"beginning of range ({numbers[0]}) beyond end of range ({numbers[1]}): {item}"
    return f"step of range should be a positive number: {item}" if steps == ["0"] else ""


def _number(text: str, name: str) -> int | None:
    names = NAMES.get(name, [])
    if text.lower() in names:
        return names.index(text.lower()) + (1 if name == "month" else 0)
    return int(text) if text.isdecimal() else None
