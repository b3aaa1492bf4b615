import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.yaml_text import YamlError, dump, line_of, natural_order, parse, resolve


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *((word, True) for word in ("yes", "y", "on", "True")),
        *((word, False) for word in ("no", "N", "off", "FALSE")),
        *((word, None) for word in ("", "~", "null")),
        ("0777", 511),
        ("0o17", 15),
        ("0b11", 3),
        ("-0x1F", -31),
        ("1_000", 1000),
        ("08", 8),
        ("1e3", 1000),
        ("1.0", 1),
        (".5", 0.5),
        ("12345678901234567890123", 12345678901234567890123.0),
        ("1:30", "1:30"),
        ("2001-12-14", "2001-12-14"),
        ("1E400", "1E400"),
        ("1.2.3", "1.2.3"),
        ("0x", "0x"),
        ("=", "="),
    ],
)
def test_an_unquoted_scalar_means_what_kubectl_makes_of_it(text, meaning):
    found = resolve(text)
    assert (found, type(found)) == (meaning, type(meaning))


def test_keys_are_text_and_tags_and_merges_count():
    text = "1: a\nyes: b\nx: !!str 7\nd: &d {k: 1}\ne: {<<: *d, m: 2}\n"
    assert parse(text) == [{"1": "a", "true": "b", "x": "7", "d": {"k": 1}, "e": {"k": 1, "m": 2}}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", "yaml: line 1: mapping values are not allowed in this context"),
        ("a: 1\na: 2", 'yaml: line 2: key "a" already set in map'),
        ("a: .inf", "yaml: line 1: .inf is not a number that JSON can hold"),
        ("a: &x [*x]", "yaml: line 1: an anchor contains itself"),
        ("? [a]\n: b", "yaml: line 1: a key must be text, not a list or a map"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(text, message):
    with pytest.raises(YamlError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_kubectl_lets_the_last_of_two_equal_keys_win():
    assert parse("a: 1\na: 2", duplicates=True) == [{"a": 2}]


def test_many_aliases_cost_nothing():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert len(parse("\n".join(lines))[0]) == 40


def test_a_field_is_found_by_its_path_in_the_right_document():
    text = "a: 1\n---\n# nothing\n---\nb:\n- c: 1\n- d: 2\n"
    assert line_of(text, ("b", 1, "d"), document=1) == 7
    assert line_of(text, ("b", 5), document=1) == 5


def test_keys_sort_as_people_count():
    assert sorted(["a10", "a2", "b", "Z", "a-b", "ab", "a.b"], key=natural_order) == [
        "Z",
        "a-b",
        "a.b",
        "a2",
        "a10",
        "ab",
        "b",
    ]


keys = st.text().filter(lambda key: key != "<<")  # kubectl writes it bare too: it reads as a merge
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner),
    max_leaves=10,
)


@given(st.dictionaries(keys, json_values, min_size=1))
def test_what_was_written_is_read_back(data):
    assert parse(dump(data)) == [data]


def test_numbers_are_written_as_short_as_they_can_be_read():
    numbers = {"a": 1.0, "b": 1.5, "c": -3, "d": 1e30, "e": True, "f": None}
    assert dump(numbers) == "a: 1\nb: 1.5\nc: -3\nd: 1e+30\ne: true\nf: null\n"


AWKWARD = (
    *("true", "null", "12", "0o7", "1.5e3", "1:30", "2026-01-01T00:00:00Z", "~", "y", "No", ""),
    *("x: y", "* star", "it's: x", '"q"', "- a", "#c", "a #c", "{}", "=", "<<", "-", "?", "@x"),
    *("a\nb\n", "a\nb", "a\n\n", "\n  a\nb", "tab\there", " lead", "trail ", "é漢", "\x01"),
    "word " * 40,
)


def _kubectl():
    beside = Path(sys.executable).with_name("kubectl")
    return (
        os.environ.get("K8SLAB_KUBECTL")
        or (str(beside) if beside.exists() else None)
        or (shutil.which("kubectl"))
    )


@pytest.mark.skipif(_kubectl() is None, reason="needs kubectl")
def test_yaml_is_byte_for_byte_that_of_kubectl(tmp_path):
    annotations = {f"k{n}": text for n, text in enumerate(AWKWARD)}
    data = {"apiVersion": "v1", "kind": "ConfigMap"}
    data["metadata"] = {"name": "x", "annotations": annotations}
    file = tmp_path / "x.yaml"
    file.write_text(dump(data))
    command = [_kubectl(), "annotate", "--local", "-f", str(file), "k0=true", "-o", "yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == dump(data)
