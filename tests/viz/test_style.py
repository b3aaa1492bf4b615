"""One visual language: what is told by colour is told a second time."""

from itertools import combinations

import pytest

from k8slab.viz import style
from k8slab.viz.shapes import mark

TABLES = {"components": style.COMPONENTS, "pod states": style.POD_STATES}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_two_rows_of_a_table_share_shape_or_words(table) -> None:
    assert len({look.shape for look in table.values()}) == len(table)
    assert len({look.label for look in table.values()}) == len(table)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_what_looks_alike_in_grey_differs_in_shape(table) -> None:
    for one, other in combinations(table.values(), 2):
        alike = abs(style.luminance(one.fill) - style.luminance(other.fill)) < 0.15
        assert not alike or one.shape != other.shape


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_words_on_a_fill_can_be_read(table) -> None:
    for look in table.values():
        assert style.contrast(look.fill, style.text_on(look.fill)) >= 4.5


@pytest.mark.parametrize("theme", style.THEMES)
@pytest.mark.parametrize("ground", ["paper", "panel"])
@pytest.mark.parametrize("letters", ["ink", "muted", "accent"])
def test_letters_can_be_read_in_both_themes(theme, ground, letters) -> None:
    roles = style.THEMES[theme]
    assert style.contrast(roles[ground], roles[letters]) >= 4.5


def test_no_state_of_a_pod_is_told_by_red_against_green() -> None:
    fills = [look.fill for look in style.POD_STATES.values()]
    assert not (style.GREEN in fills and style.VERMILLION in fills)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("kubelet/worker-1", "kubelet"),
        ("containerd/worker-1", "containerd"),
        ("replicaset-controller", "kube-controller-manager"),
        ("generic-garbage-collector", "kube-controller-manager"),
        ("you", "you"),
        ("apiserver", "kube-apiserver"),
        ("kube-scheduler", "kube-scheduler"),
        ("kubeadm", "you"),
        ("somebody", "other"),
    ],
)
def test_every_name_of_the_trace_has_its_row(name, row) -> None:
    assert style.component_key(name) == row


def test_every_shape_can_be_drawn() -> None:
    for table in TABLES.values():
        for look in table.values():
            assert mark(look.shape, 10, 10, 5, look.fill)
