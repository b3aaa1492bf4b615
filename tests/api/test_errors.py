import pytest

from k8slab.api import errors
from k8slab.api.errors import FieldError
from k8slab.api.scheme import resource_for

PODS = resource_for("Pod")
DEPLOYMENTS = resource_for("Deployment")


@pytest.mark.parametrize(
    ("error", "code", "reason", "message"),
    [
        (errors.not_found(PODS, "x"), 404, "NotFound", 'pods "x" not found'),
        (
            errors.already_exists(DEPLOYMENTS, "d"),
            409,
            "AlreadyExists",
            'deployments.apps "d" already exists',
        ),
        (
            errors.conflict(DEPLOYMENTS, "d"),
            409,
            "Conflict",
            'Operation cannot be fulfilled on deployments.apps "d": the object has been modified; '
            "please apply your changes to the latest version and try again",
        ),
        (errors.forbidden(PODS, "", "no"), 403, "Forbidden", "pods is forbidden: no"),
        (errors.internal("x"), 500, "InternalError", "Internal error occurred: x"),
        (errors.timeout("slow", 1), 504, "Timeout", "Timeout: slow"),
        (errors.expired("old"), 410, "Expired", "old"),
        (errors.bad_request("huh"), 400, "BadRequest", "huh"),
    ],
)
def test_a_refusal_has_upstreams_code_reason_and_words(error, code, reason, message):
    assert (error.code, error.reason, error.message, str(error)) == (code, reason, message, message)
    assert error.status.status == "Failure"


def test_details_name_the_resource():
    details = errors.not_found(DEPLOYMENTS, "d").status.details
    assert (details.name, details.group, details.kind) == ("d", "apps", "deployments")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.required("spec.x"), "spec.x: Required value"),
        (errors.required("spec.x", "why"), "spec.x: Required value: why"),
        (errors.invalid_value("a", "B", "no"), 'a: Invalid value: "B": no'),
        (errors.invalid_value("a", -1, "no"), "a: Invalid value: -1: no"),
        (errors.invalid_value("a", ["x"], "no"), 'a: Invalid value: ["x"]: no'),
        (errors.invalid_value("a", None, "no"), "a: Invalid value: null: no"),
        (errors.duplicate("a", "x"), 'a: Duplicate value: "x"'),
        (errors.forbidden_field("a", "no"), "a: Forbidden: no"),
        (errors.too_long("a", 63), "a: Too long: may not be more than 63 bytes"),
        (errors.field_not_found("a", "v"), 'a: Not found: "v"'),
        (
            errors.not_supported("p", "x", ["A", ""]),
            'p: Unsupported value: "x": supported values: "A", ""',
        ),
    ],
)
def test_a_field_error_reads_as_upstream_writes_it(error, text):
    assert str(error) == text


def test_one_fault_is_a_sentence_and_several_are_a_list():
    first, second = FieldError("a", "FieldValueRequired"), FieldError("b", "FieldValueRequired")
    one = errors.invalid("Pod", "x", [first])
    assert one.message == 'Pod "x" is invalid: a: Required value'
    two = errors.invalid("Deployment", "d", [first, second, second], group="apps")
    assert two.message == ('Deployment.apps "d" is invalid: [a: Required value, b: Required value]')
    assert [cause.field for cause in two.status.details.causes] == ["a", "b", "b"]
