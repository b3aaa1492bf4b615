from __future__ import annotations

import gc

from k8slab.cluster.turn import NEW_OBJECTS, seldom_collecting


def test_python_collects_seldom_meanwhile_and_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with seldom_collecting():
        assert gc.get_threshold() == (NEW_OBJECTS, *before[1:])
        with seldom_collecting():
            pass
        assert gc.get_threshold()[0] == NEW_OBJECTS
    assert gc.get_threshold() == before


def test_who_has_switched_collecting_off_keeps_it_off() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with seldom_collecting():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
