from __future__ import annotations

import pytest

from k8slab.cluster import sentences
from k8slab.sim import Record


@pytest.mark.parametrize(
    ("code", "reason", "message", "told"),
    [
        (0, "Completed", "", "with exit code 0: it had nothing more to do"),
        (1, "Error", "no key\n", "with exit code 1 (no key)"),
        (127, "Error", "", "with exit code 127: a command was not found"),
        (143, "Error", "", "with exit code 143: SIGTERM, it was asked to end"),
        (137, "Error", "", "with exit code 137: SIGKILL"),
    ],
)
def test_an_exit_code_is_put_in_words(code: int, reason: str, message: str, told: str) -> None:
    assert sentences.ending(code, reason, message) == told


def test_memory_over_the_limit_is_not_told_as_a_signal() -> None:
    assert "more memory than its limit" in sentences.ending(137, "OOMKilled")


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("docker.io/library/nginx:9: not found", "the registry has no such tag"),
        ("pull access denied, repository does not exist", "keeps it private"),
        (
            "dial tcp: lookup ghost.example.com: no such host",
            "the registry's name does not resolve",
        ),
        ("something new", "cannot be pulled: something new"),
    ],
)
def test_the_message_of_a_failed_pull_is_put_in_words(message: str, meaning: str) -> None:
    assert meaning in sentences.image_fault("web", "nginx:9", message)


def test_a_verb_without_a_past_is_left_as_it_is() -> None:
    record = Record(1, 1.0, "you", "ponder", "Pod/default/web", 0, "twice")
    assert sentences.sentence(record) == "at 1.000 s you ponder Pod/default/web (twice)"


def test_where_a_service_may_be_meant_from_elsewhere_comes_before_a_likeness() -> None:
    text = sentences.no_service("cart", "default", ["shop"], ["card"])
    assert "cart.shop" in text
    assert "card" not in text.replace("cart", "")
