"""The log plugin: a line for each question.

    [INFO] 10.244.1.3:41207 - 9613 "A IN web.default.svc.cluster.local. udp 47 false 512"
    NOERROR qr,aa,rd 92 0.000063451s                            (one line)

In the quotes the question: type, class, name, protocol, size, whether signatures are wanted, and
how large an answer may be. Behind them what became of it: rcode, flags, size, and how long it
took. Where nobody wrote an answer, as when a forwarder gave up, that reads `- - 0`.

Rule of use: the first stanza whose zone the name is in decides.

Upstream: coredns plugin/log, plugin/pkg/replacer
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from k8slab.addons.coredns.corefile import Plugin, all_zones
from k8slab.addons.coredns.messages import MAX_TCP_SIZE, Question, flag_words, flags_of, reply
from k8slab.addons.coredns.names import is_in
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, Answer
from k8slab.linux.dns_wire import CLASSES, QUESTION_TAIL, name_wire, type_number

COMMON = (
    '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" '
    "{rcode} {>rflags} {rsize} {duration}"
)
COMBINED = COMMON + ' "{>opcode}"'
CLASSES_OF_ANSWERS = ("all", "denial", "error", "success")
PLACEHOLDER = re.compile(r"\{(>?\w+)\}")


class Rule(msgspec.Struct, frozen=True):
    """Which questions are logged, and how."""

    zone: str
    format: str
    classes: tuple[str, ...]


class Log:
    """Logs questions with their answers."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        self._rules = tuple(rule for stanza in stanzas for rule in _rules(stanza))

    async def serve(self, request: Request) -> Answer:
        """Return the next plugin's answer, or pass its failure on; log either."""
        began = self._site.now
        rule = next((rule for rule in self._rules if is_in(request.name, rule.zone)), None)
        if rule is None:
            return await self._next(request)
        try:
            answer = await self._next(request)
        except Failure:
            self._log(rule, request, None, began)
            raise
        self._log(rule, request, answer, began)
        return answer

    def _log(self, rule: Rule, request: Request, answer: Answer | None, began: float) -> None:
        if "all" in rule.classes or class_of(answer) in rule.classes:
            line = line_of(rule.format, request, answer, self._site.now - began)
            self._site.process.log(f"[INFO] {line}")


def class_of(answer: Answer | None) -> str:
    """Return the class of an answer; none at all is an error."""
    if answer is None:
        return "error"
    if answer.rcode == NXDOMAIN or answer.is_nodata:
        return "denial"
    return "success" if answer.rcode == NOERROR else "error"


def line_of(form: str, request: Request, answer: Answer | None, took: float) -> str:
    """Return the line; `took` in seconds."""
    size = request.size if request.protocol == "udp" else MAX_TCP_SIZE
    remote = f"[{request.client}]" if ":" in request.client else request.client
    values = {
        "type": request.type,
        "class": request.klass,
        "name": request.name,
        "proto": request.protocol,
        "remote": remote,
        "port": str(request.port),
        "size": str(request.length),
        "duration": f"{took:.9f}s",
        ">id": str(request.id),
        ">opcode": "0",
        ">do": str(request.dnssec).lower(),
        ">bufsize": str(size),
        "rcode": "-",
        ">rflags": "-",
        "rsize": "0",
    }
    if answer is not None:
        question = _question(request)
        values["rcode"] = answer.rcode
        values[">rflags"] = flag_words(flags_of(question, answer))
        values["rsize"] = str(len(reply(question, answer, MAX_TCP_SIZE)))
    return PLACEHOLDER.sub(lambda found: values.get(found[1], "-"), form)


def _question(request: Request) -> Question:
    """Return the question as it stood on the wire, but for its case."""
    tail = QUESTION_TAIL.pack(type_number(request.type), CLASSES.get(request.klass, 1))
    return Question(
        request.id,
        request.name,
        request.type,
        section=name_wire(request.name) + tail,
        edns=request.edns,
        size=request.size,
    )


def _rules(stanza: Plugin) -> list[Rule]:
    words = list(stanza.args)
    form = COMMON
    if words and "{" in words[-1]:
        form = words.pop().replace("{common}", COMMON).replace("{combined}", COMBINED)
    classes: list[str] = []
    for setting in stanza.settings:
        if setting.name != "class" or not setting.words:
            raise setting.wrong_count()
        for word in setting.words:
            if word not in CLASSES_OF_ANSWERS:
                raise setting.wrong_count()
            classes.append(word)
    return [Rule(zone, form, tuple(classes) or ("all",)) for zone in all_zones(words) or (".",)]
