"""Figures of numbers that somebody measured: growth, and shares of failed requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.viz import error_heat_map, rules_and_cost
from k8slab.viz.error_map import SHADES, shade
from k8slab.viz.growth import decades, exponent
from k8slab.viz.style import luminance
from tests.viz.legibility import faults

RULES = [(n, 14 + 18 * n) for n in (3, 10, 100, 1000, 10000)]
CELLS = {(d, p): (200, max(0, int(60 * d - 20 * p))) for d in (0.1, 1, 3) for p in (0, 1, 2, 5)}


@given(st.floats(-2, 3), st.floats(0.01, 100))
def test_the_exponent_of_a_power_is_found(power, factor) -> None:
    points = [(x, factor * x**power) for x in (2.0, 30.0, 400.0, 5000.0)]
    assert exponent(points) == pytest.approx(power, abs=1e-6)


@given(st.lists(st.floats(1e-4, 1e7), min_size=1))
def test_decades_hold_all_values(values) -> None:
    found = decades(values)
    assert len(found) >= 2
    assert found[0] <= min(values) * (1 + 1e-6)
    assert found[-1] >= max(values) * (1 - 1e-6)


def test_growth_is_told_as_a_power() -> None:
    figure = rules_and_cost({"rules": RULES, "look-ups": [(n, 3) for n, _ in RULES]})
    assert figure.alt.endswith("rules grows with the power 0.98; look-ups stays the same.")
    assert "    1000 Services: 18014" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_lines_that_end_in_one_place_are_told_apart() -> None:
    names = ("one", "two", "three", "four", "five", "six")
    figure = rules_and_cost({name: RULES for name in names}, across="endpoints")
    assert faults(figure.drawing, (1.0,)) == []


@pytest.mark.parametrize("points", [{}, {"a": []}, {"a": [(0, 1)]}, {"a": [(1, -1)]}])
def test_what_has_no_logarithm_is_refused(points) -> None:
    with pytest.raises(ValueError, match="expected points above 0"):
        rules_and_cost(points)


def test_the_more_requests_failed_the_darker_the_cell() -> None:
    lights = [luminance(fill) for _, fill, _ in SHADES]
    assert lights == sorted(lights, reverse=True)
    assert [shade((100, failed)) for failed in (0, 1, 5, 20, 50)] == [fill for _, fill, _ in SHADES]


def test_the_heat_map_names_its_worst_pair() -> None:
    figure = error_heat_map(CELLS, across="preStop, s", down="delay of kube-proxy, s")
    assert figure.alt.endswith("the worst, 3 and 0, 90%.")
    assert "delay of kube-proxy, s 1, preStop, s 2: 20 of 200 failed (10.0%)" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_a_pair_that_was_not_measured_is_empty() -> None:
    some = {pair: cell for pair, cell in CELLS.items() if pair != (1, 2)}
    assert len(error_heat_map(some, across="a", down="d").text.splitlines()) == len(CELLS)


def test_cells_without_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="a map needs cells"):
        error_heat_map({}, across="a", down="d")
    with pytest.raises(ValueError, match="expected some requests"):
        error_heat_map({(0, 0): (0, 0)}, across="a", down="d")
