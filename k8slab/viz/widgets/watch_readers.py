"""Two readers of one watch stream, and what each believes when events get lost or come twice.

The counter acts on each event: one more at ADDED, one less at DELETED (edge-triggered). The reader
takes an event only as a reason to look, and reads how many there are (level-triggered).

    readings(listed, events, fates, looks)     # after each event: counter, reader, truth

Rule of use: pure; what was heard is a fact, `fates` is what would have been.

Upstream: none (https://kubernetes.io/docs/reference/using-api/api-concepts/ has watches)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

DELIVERED, LOST, TWICE = "delivered", "lost", "delivered twice"
FATES = (LOST, TWICE, DELIVERED)
COUNTER, READER, BOTH, NEITHER = "the counter", "the reader", "both", "neither"
WHO = (COUNTER, READER, BOTH, NEITHER)
STEP = {"ADDED": 1, "DELETED": -1}


class HeardLike(Protocol):
    """An event of a watch."""

    @property
    def type(self) -> str:
        """ADDED, MODIFIED, DELETED or LIST."""

    @property
    def there(self) -> int:
        """How many objects there were once it had happened."""


class Reading(msgspec.Struct, frozen=True):
    """What the counter and the reader believe, and what is so."""

    counter: int
    reader: int
    truth: int

    @property
    def wrong(self) -> str:
        """Who is wrong, in the words of `WHO`."""
        counter, reader = self.counter != self.truth, self.reader != self.truth
        if counter and reader:
            return BOTH
        return COUNTER if counter else READER if reader else NEITHER


def readings(
    listed: int,
    events: Sequence[HeardLike],
    fates: Mapping[int, str],
    looks: Sequence[int] = (),
) -> list[Reading]:
    """Return what is believed after each event, numbered from 1.

    `looks` are numbers of events after which the reader looks without a reason (a resync).
    """
    counter = reader = listed
    found: list[Reading] = []
    for number, event in enumerate(events, 1):
        times = {LOST: 0, TWICE: 2}.get(fates.get(number, DELIVERED), 1)
        counter += times * STEP.get(event.type, 0)
        if times or number in looks:
            reader = event.there
        found.append(Reading(counter, reader, event.there))
    return found


def judge(guess: str, end: Reading, number: int, fate: str, type_: str, last: int) -> str:
    """Say who is wrong at the end when one event has a fate, and why."""
    verdict = "Right." if guess == end.wrong else f'You said "{guess}".'
    said = (
        f"{verdict} The counter says {end.counter}, the reader {end.reader}; there are {end.truth}."
    )
    return f"{said}\n{_counter_story(end, fate, type_)} {_reader_story(end, number, fate, last)}"


def _counter_story(end: Reading, fate: str, type_: str) -> str:
    if type_ not in STEP:
        return f"The counter does nothing at {type_}, so nothing was lost on it."
    if fate == DELIVERED:
        return "The event arrives as it should."
    if end.counter == end.truth:
        return "Two errors of the counter cancel out; that is luck."
    return "The counter knows only what it heard: no later event makes good for this one."


def _reader_story(end: Reading, number: int, fate: str, last: int) -> str:
    if end.reader != end.truth:
        return "The reader has had no reason to look since: the next event, or a resync, mends it."
    if fate == LOST and number < last:
        return "The reader looked at the next event and saw how things are."
    return "The reader sees how things are, however often it looks."
