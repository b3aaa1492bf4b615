"""Messages on the wire: what is in them, and in which order."""

from __future__ import annotations

from k8slab.addons.coredns import messages
from k8slab.addons.coredns.records import Answer, Record

NAME = "crew.default.svc.cluster.local."


def test_records_are_sent_in_the_order_of_the_answer() -> None:
    question = messages.question_of(messages.query_wire(NAME, "A", 7))
    assert question is not None
    given = Answer("NOERROR", tuple(Record(NAME, "A", 5, f"10.0.0.{n}") for n in range(20, 0, -1)))
    response = messages.response_of(question, given, authoritative=True)
    received = messages.answer_of(messages.wire_of(response, 4096), 7)
    assert received is not None
    assert received.answers == given.answers
