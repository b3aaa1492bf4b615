from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.quantity import canonical, format_quantity, milli_value, parse, value


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("1024Mi", "1Gi"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1.5Gi", "1536Mi"),
        ("1000", "1k"),
        ("1024", "1024"),
        ("+5", "5"),
        (".5", "500m"),
        ("5.", "5"),
        ("-1024Mi", "-1Gi"),
        ("0Ki", "0"),
        ("Ki", "0"),
        ("0.9765625Ki", "1k"),  # below 1024: decimal
        ("0.1Ki", "102400m"),
        ("1.1Mi", "1153433600m"),  # not whole: decimal
        ("1500Ki", "1500Ki"),
        ("0.1n", "1n"),  # nothing is below a nano
        ("1e3", "1e3"),
        ("1E5", "100e3"),
        ("1.5e-3", "1500e-6"),
        ("3e0", "3"),
        ("9Ei", "9223372036854775807"),
        ("100E", "100E"),
    ],
)
def test_a_quantity_is_stored_in_its_canonical_form(text, stored):
    assert canonical(text) == stored


@pytest.mark.parametrize("text", ["", "1 Gi", "1gi", "1.5.2", "2Gb", "abc", "1e3.5"])
def test_what_is_no_quantity_is_refused_in_upstreams_words(text):
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        canonical(text)


@pytest.mark.parametrize("text", ["1K", "1e", "1ki", "1mm", "1e999999999999"])
def test_an_unknown_suffix_is_named(text):
    with pytest.raises(ValueError, match="unable to parse quantity's suffix"):
        canonical(text)


@pytest.mark.parametrize(
    ("text", "milli", "whole"),
    [("100m", 100, 1), ("0.1", 100, 1), ("1.0001", 1001, 2), ("64Mi", 67108864000, 67108864)],
)
def test_whole_numbers_are_rounded_up(text, milli, whole):
    assert (milli_value(text), value(text)) == (milli, whole)


@given(
    st.fractions(0, 10**15, max_denominator=10**6),
    st.sampled_from(["BinarySI", "DecimalSI", "DecimalExponent"]),
)
def test_writing_and_reading_keeps_the_amount(amount, style):
    nanos = Fraction(int(amount * 10**9), 10**9)
    assert parse(format_quantity(nanos, style))[0] == nanos


@given(st.integers(0, 10**12), st.sampled_from(["", "m", "k", "Ki", "Mi", "e2", "u"]))
def test_the_canonical_form_is_its_own(number, suffix):
    stored = canonical(f"{number}{suffix}")
    assert canonical(stored) == stored
    assert parse(stored)[0] == parse(f"{number}{suffix}")[0]
