"""Cards of a column: beside what they have to do with, none on another."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from k8slab.viz.placement import spread

places = st.lists(st.floats(0, 1000), min_size=1, max_size=12)


@given(places)
def test_no_card_lies_on_another(wanted) -> None:
    assert all(b - a > 49.999 for a, b in pairwise(sorted(spread(wanted, 50, 0))))


@given(places)
def test_cards_keep_their_order_and_their_bounds(wanted) -> None:
    found = spread(wanted, 50, 20, 1000)
    order = sorted(range(len(wanted)), key=lambda number: (wanted[number], number))
    assert [found[number] for number in order] == sorted(found)
    assert all(b - a > 49.999 for a, b in pairwise(sorted(found)))
    assert min(found) >= 20
    assert max(found) <= 1000


def test_who_has_room_stays_where_it_wants_to_be() -> None:
    assert spread([300, 100, 500], 50, 0) == [300, 100, 500]
