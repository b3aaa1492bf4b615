from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.errors import ApiError
from k8slab.gateway.negotiation import Form, accepted

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", ("application/json", "")),
        ("*/*", ("application/json", "")),
        ("application/yaml", ("application/yaml", "")),
        (f"{TABLE},application/json", ("application/json", "Table")),
        ("application/vnd.kubernetes.protobuf, application/json", ("application/json", "")),
        ("text/html, application/json;q=0.9", ("application/json", "")),
        (
            "application/json;as=Nonsense;v=v1;g=meta.k8s.io,application/yaml",
            ("application/yaml", ""),
        ),
    ],
)
def test_the_first_form_that_can_be_written_is_chosen(header, wanted) -> None:
    form = accepted(header)
    assert (form.media_type, form.view) == wanted


def test_a_client_that_reads_none_of_our_forms_is_told_so() -> None:
    with pytest.raises(ApiError) as refused:
        accepted("text/html")
    assert refused.value.code == 406


@given(st.text(max_size=80))
def test_any_header_is_understood_or_refused(header) -> None:
    try:
        form = accepted(header)
    except ApiError:
        return
    assert isinstance(form, Form)
