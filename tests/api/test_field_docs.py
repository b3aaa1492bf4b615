from __future__ import annotations

from typing import Any

import msgspec
import pytest

from k8slab.api import field_docs
from k8slab.api.diagnosis import field_types
from k8slab.api.inner_structs import inner_struct
from k8slab.api.scheme import KINDS


def structs() -> dict[str, type[msgspec.Struct]]:
    found: dict[str, type[msgspec.Struct]] = {}
    waiting: list[Any] = [resource.type for resource in KINDS]
    while waiting:
        struct = waiting.pop()
        if struct is not None and found.setdefault(struct.__name__, struct) is struct:
            types = field_types(struct).values()
            inner = [inner_struct(expected) for expected in types]
            waiting += [i for i in inner if i is not None and i.__name__ not in found]
    return found


STRUCTS = structs()


@pytest.mark.parametrize("struct", field_docs.OF_STRUCTS)
def test_only_fields_that_exist_are_described(struct: str) -> None:
    assert not set(field_docs.OF_STRUCTS[struct]) - set(field_types(STRUCTS[struct]))


@pytest.mark.parametrize("struct", ["PodSpec", "Container", "ServiceSpec", "DeploymentSpec"])
def test_every_field_that_people_write_is_described(struct: str) -> None:
    # What came with the last releases, and few people write.
    rare = {"resourceClaims", "schedulingGroup", "evictionResponders"}
    fields = set(field_types(STRUCTS[struct])) - rare
    assert not {field for field in fields if not field_docs.sentence(struct, field)}


def test_sentences_end_like_sentences() -> None:
    for fields in (field_docs.ANYWHERE, *field_docs.OF_STRUCTS.values()):
        for sentence in fields.values():
            assert sentence[0].isupper() or sentence.startswith(("default", "$")), sentence
            assert sentence.endswith("."), sentence
