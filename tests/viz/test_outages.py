"""The table of outages: its words say what its signs say, and other words are refused."""

import pytest

from k8slab.viz import outage_matrix
from k8slab.viz.drawing import Text
from tests.viz.legibility import faults

ROWS = {
    "etcd": {"kubectl": "breaks", "address": "works", "a new Service": "breaks"},
    "kube-controller-manager": {"kubectl": "works", "address": "works", "a new Service": "stalls"},
    "coredns": {"kubectl": "works", "address": "works", "a new Service": "works"},
}


def test_the_text_twin_says_what_does_not_work() -> None:
    lines = outage_matrix(ROWS).text.splitlines()
    assert lines[1] == "  without etcd: kubectl breaks, a new Service breaks"
    assert lines[3] == "  without coredns: all of it works"


def test_every_cell_bears_its_word_beside_its_sign() -> None:
    words = [item.text for item in outage_matrix(ROWS).drawing.items if isinstance(item, Text)]
    assert [words.count(word) for word in ("works", "stalls", "breaks")] == [6, 1, 2]


def test_no_letter_is_clipped_or_lies_on_another() -> None:
    assert faults(outage_matrix(ROWS).drawing) == []
    wide = {"kubelet/worker-1": dict.fromkeys((f"thing {n}" for n in range(6)), "stalls")}
    assert faults(outage_matrix(wide).drawing) == []


def test_it_has_one_sentence_for_screen_readers() -> None:
    assert outage_matrix(ROWS).alt == "3 parts, 3 things: 6 of 9 go on."


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({}, "needs rows"),
        ({"etcd": {"kubectl": "dies"}}, "got 'dies'"),
        ({"etcd": {"a": "works"}, "coredns": {"b": "works"}}, "expected the columns a"),
    ],
)
def test_what_is_no_table_is_refused(rows, words) -> None:
    with pytest.raises(ValueError, match=words):
        outage_matrix(rows)
