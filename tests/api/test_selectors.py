import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import fields, labels
from k8slab.api.meta import LabelSelector, LabelSelectorRequirement


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("app=web", {"app": "web"}, {"app": "db"}),
        ("app==web", {"app": "web"}, {}),
        ("app!=web", {}, {"app": "web"}),
        ("app in (web,db)", {"app": "db"}, {}),
        ("app notin (web,db)", {}, {"app": "db"}),
        ("app", {"app": ""}, {}),
        ("!app", {}, {"app": ""}),
        ("n>9", {"n": "10"}, {"n": "9"}),
        ("n<9", {"n": "8"}, {"n": "x"}),
        ("app=web,tier in (a,b),!x", {"app": "web", "tier": "a"}, {"app": "web"}),
        ("app=", {"app": ""}, {"app": "x"}),
    ],
)
def test_a_selector_picks_by_labels(text, matching, other):
    selector = labels.parse(text)
    assert selector.matches(matching)
    assert not selector.matches(other)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("b = 1 , a", "a,b=1"),
        ("x in (foo,,baz),y,z notin ()", "x in (,baz,foo),y,z notin ()"),
        ("in in (in)", "in in (in)"),
        ("", ""),
    ],
)
def test_a_selector_is_written_sorted(text, canonical):
    assert str(labels.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a,", "found '', expected: identifier after ','"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b))", "found ')', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        (
            "a>b",
            'unable to parse requirement: values[0]: Invalid value: "b": '
            "for 'Gt', 'Lt' operators, the value must be an integer",
        ),
    ],
)
def test_a_bad_selector_is_refused_in_upstreams_words(text, message):
    with pytest.raises(ValueError, match=r"expected|Invalid") as caught:
        labels.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["a=-x", "a/b/c=d", "/a", "a=" + "x" * 64, "x" * 64])
def test_keys_and_values_must_look_like_labels(text):
    with pytest.raises(ValueError, match="Invalid value"):
        labels.parse(text)


words = st.sampled_from(["a", "b", "c", "in", "notin"])


@given(st.dictionaries(words, words), st.dictionaries(words, words))
def test_a_map_of_labels_selects_its_supersets(wanted, found):
    selector = labels.from_labels(wanted)
    assert selector.matches(found) == (wanted.items() <= found.items())
    assert labels.parse(str(selector)) == selector


def test_no_selector_matches_nothing_and_an_empty_one_everything():
    assert not labels.from_label_selector(None).matches({})
    assert labels.from_label_selector(LabelSelector()).matches({"a": "b"})


def test_an_objects_selector_ands_labels_and_expressions():
    absent = LabelSelectorRequirement(key="x", operator="DoesNotExist")
    selector = LabelSelector(matchLabels={"app": "web"}, matchExpressions=(absent,))
    assert str(labels.from_label_selector(selector)) == "app=web,!x"


def test_fields_select_by_equality_and_absent_is_empty():
    selector = fields.parse("spec.nodeName=,status.phase!=Running")
    assert selector.matches({"status.phase": "Pending"})
    assert not selector.matches({"spec.nodeName": "n"})
    assert fields.parse("metadata.name==x").exact("metadata.name") == "x"


def test_a_field_value_may_be_escaped():
    assert fields.parse(r"a=b\,c").exact("a") == "b,c"
    assert str(fields.parse(r"a=b\,c")) == r"a=b\,c"


def test_a_bad_field_selector_is_refused_in_upstreams_words():
    with pytest.raises(ValueError, match="invalid selector: 'abc'; can't understand 'abc'"):
        fields.parse("abc")
