from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.batch import Job
from k8slab.api.core import Pod
from k8slab.api.diagnosis import field_types
from k8slab.api.errors import ApiError
from k8slab.api.inner_structs import inner_struct
from k8slab.gateway.protobuf import decode, wire
from k8slab.gateway.protobuf_fields import TABLE, fields_of
from k8slab.gateway.protobuf_pod_fields import TABLE as POD_TABLE


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = field(1, api_version.encode()) + field(2, kind.encode())
    return b"k8s\0" + field(1, meta) + field(2, raw)


def test_a_message_becomes_what_json_would_have_said() -> None:
    meta = field(1, b"c") + field(11, field(1, b"app") + field(2, b"web")) + field(8, b"")
    raw = field(1, meta) + field(2, field(1, b"k") + field(2, b"v"))
    assert decode(body("v1", "ConfigMap", raw)) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "labels": {"app": "web"}},
        "data": {"k": "v"},
    }


def test_zero_counts_only_where_json_would_write_it() -> None:
    spec = field(1, 0) + field(5, 0) + field(7, 0)
    found = decode(body("apps/v1", "Deployment", field(2, spec)))
    assert found["spec"] == {"replicas": 0}


def test_bytes_numbers_and_either_of_both() -> None:
    secret = decode(body("v1", "Secret", field(2, field(1, b"k") + field(2, b"\xff"))))
    assert secret["data"] == {"k": "/w=="}
    port = field(3, 80) + field(4, field(1, 0) + field(2, 8080))
    named = field(3, 81) + field(4, field(1, 1) + field(3, b"http"))
    service = decode(body("v1", "Service", field(2, field(1, port) + field(1, named))))
    targets = [p["targetPort"] for p in service["spec"]["ports"]]
    assert targets == [8080, "http"]


def test_fields_that_json_has_inline_are_lifted() -> None:
    rule = field(1, b"a.b") + field(2, field(1, field(1, field(1, b"/"))))
    ingress = decode(body("networking.k8s.io/v1", "Ingress", field(2, field(3, rule))))
    assert ingress["spec"]["rules"] == [{"host": "a.b", "http": {"paths": [{"path": "/"}]}}]


def test_a_field_that_is_not_in_the_table_is_refused_not_lost() -> None:
    with pytest.raises(ApiError, match="field 99 of ConfigMap"):
        decode(body("v1", "ConfigMap", field(99, b"x")))


def test_numbers_are_those_of_the_wire() -> None:
    assert list(wire(field(3, -1) + field(1, b"x"))) == [(3, 2**64 - 1), (1, b"x")]
    assert fields_of("nosuch") == {}


def names_in(table: str) -> list[str]:
    return [line.partition(":")[0] for line in table.strip().splitlines() if line[0] != " "]


def test_each_message_is_in_one_table_in_order() -> None:
    for table in (TABLE, POD_TABLE):
        assert names_in(table) == sorted(set(names_in(table)))
    assert not set(names_in(TABLE)) & set(names_in(POD_TABLE))


def test_the_fields_of_a_message_are_fields_of_its_struct() -> None:
    structs = structs_of(Pod) | structs_of(Job)
    for name, type_ in structs.items():
        lifted = [number for number, (_, how) in fields_of(name).items() if how == "inline"]
        named = {text for number, (text, _) in fields_of(name).items() if number not in lifted}
        assert named <= set(field_types(type_)), name


def structs_of(type_: type) -> dict[str, type]:
    """A Struct and all that it is made of, by name."""
    found: dict[str, type] = {}
    waiting = [type_]
    while waiting:
        struct = waiting.pop()
        if struct.__name__ not in found:
            found[struct.__name__] = struct
            inner = (inner_struct(expected) for expected in field_types(struct).values())
            waiting += [each for each in inner if each is not None]
    return found


@given(st.binary(max_size=60), st.sampled_from(["Deployment", "Service", "Job", "Nope"]))
def test_any_bytes_are_decoded_or_refused(raw, kind) -> None:
    api = {"Deployment": "apps/v1", "Job": "batch/v1"}.get(kind, "v1")
    for data in (body(api, kind, raw), raw, b"k8s\0" + raw):
        try:
            found = decode(data)
        except ApiError as refused:
            assert refused.code == 400  # noqa: PT017
        else:
            assert found["kind"]
