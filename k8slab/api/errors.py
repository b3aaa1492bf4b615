"""Refusals of the API server, in its own words.

Interface: ``ApiError`` (an exception that holds a Status), one constructor for each reason
(``not_found``, ``conflict``, ``invalid``, ...), ``api_error`` for all others, and ``FieldError``
for what is wrong with one field.
Rule: components look at ``reason``, people read ``message``.

Upstream: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go, util/validation/field/errors.go
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from k8slab.api.meta import Status, StatusCause, StatusDetails
from k8slab.api.scheme import Resource

_TYPE_TEXT = {
    "FieldValueNotFound": "Not found",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "FieldValueTypeInvalid": "Invalid value",
    "InternalError": "Internal error",
}
_WITHOUT_VALUE = frozenset(
    {
        "FieldValueRequired",
        "FieldValueForbidden",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "InternalError",
    }
)


class FieldError(msgspec.Struct, frozen=True):
    """One thing wrong with one field; ``type`` is the reason that a Status cause carries."""

    path: str
    type: str
    detail: str = ""
    bad_value: Any = None

    @property
    def body(self) -> str:
        """The error without its path: ``Invalid value: "x": must be ...``."""
        text = _TYPE_TEXT[self.type]
        if self.type not in _WITHOUT_VALUE and self.bad_value is not msgspec.UNSET:
            text += f": {go_value(self.bad_value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.path}: {self.body}"


def required(path: str, detail: str = "") -> FieldError:
    """Say that a field must be set."""
    return FieldError(path, "FieldValueRequired", detail)


def invalid_value(path: str, value: Any, detail: str) -> FieldError:
    """Say that a field has a value it may not have."""
    return FieldError(path, "FieldValueInvalid", detail, value)


def invalid_part(path: str, detail: str) -> FieldError:
    """Say that a part is wrong as a whole, without quoting it."""
    return FieldError(path, "FieldValueInvalid", detail, msgspec.UNSET)


def duplicate(path: str, value: Any) -> FieldError:
    """Say that a value comes twice where it may come once."""
    return FieldError(path, "FieldValueDuplicate", "", value)


def not_supported(path: str, value: Any, supported: Iterable[str]) -> FieldError:
    """Say that a value is none of those that the field knows."""
    names = ", ".join(f'"{name}"' for name in supported)
    return FieldError(path, "FieldValueNotSupported", f"supported values: {names}", value)


def field_not_found(path: str, value: Any) -> FieldError:
    """Say that the thing which a field names does not exist."""
    return FieldError(path, "FieldValueNotFound", "", value)


def forbidden_field(path: str, detail: str) -> FieldError:
    """Say that a field may not be set, or not be changed."""
    return FieldError(path, "FieldValueForbidden", detail)


def too_long(path: str, maximum: int) -> FieldError:
    """Say that a text has more bytes than it may."""
    return FieldError(path, "FieldValueTooLong", f"may not be more than {maximum} bytes")


def too_many(path: str, maximum: int) -> FieldError:
    """Say that a list has more items than it may."""
    return FieldError(path, "FieldValueTooMany", f"must have at most {maximum} items")


def go_value(value: Any) -> str:
    """Write a value as field errors quote it: text in quotes, the rest as JSON, nothing as null."""
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    return msgspec.json.encode(value, order="deterministic").decode()


class ApiError(Exception):
    """A request that was refused: ``status`` is what the API server sends."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status

    @property
    def reason(self) -> str:
        """The machine-readable reason, such as NotFound or Conflict."""
        return self.status.reason

    @property
    def code(self) -> int:
        """The HTTP status code."""
        return self.status.code

    @property
    def message(self) -> str:
        """The sentence for people."""
        return self.status.message


def not_found(resource: Resource, name: str) -> ApiError:
    """Say that there is no object of that name."""
    message = f'{resource.group_resource} "{name}" not found'
    return _about(resource, name, message, "NotFound", 404)


def already_exists(resource: Resource, name: str) -> ApiError:
    """Say that the name is taken."""
    message = f'{resource.group_resource} "{name}" already exists'
    return _about(resource, name, message, "AlreadyExists", 409)


OBJECT_MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


def conflict(resource: Resource, name: str, why: str = OBJECT_MODIFIED) -> ApiError:
    """Say that somebody else was quicker, or that a precondition does not hold."""
    message = f'Operation cannot be fulfilled on {resource.group_resource} "{name}": {why}'
    return _about(resource, name, message, "Conflict", 409)


def precondition_failed(resource: Resource, name: str, why: str) -> ApiError:
    """Say that a precondition of a delete does not hold; upstream names the kind here."""
    message = f'Operation cannot be fulfilled on {resource.kind} "{name}": {why}'
    if resource.group:
        message = message.replace(f" {resource.kind} ", f" {resource.kind}.{resource.group} ", 1)
    details = StatusDetails(name=name, group=resource.group, kind=resource.kind)
    return api_error(message, "Conflict", 409, details)


def forbidden(resource: Resource, name: str, why: str) -> ApiError:
    """Say that the request is not allowed."""
    about = f'{resource.group_resource} "{name}"' if name else resource.group_resource
    return _about(resource, name, f"{about} is forbidden: {why}", "Forbidden", 403)


def invalid(kind: str, name: str, field_errors: Sequence[FieldError], group: str = "") -> ApiError:
    """Say what is wrong with the fields of an object, all of it at once."""
    # Equal errors count once in the sentence, but are all listed as causes.
    texts = list(dict.fromkeys(str(error) for error in field_errors))
    summary = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    sentence = f"is invalid: {summary}" if texts else "is invalid"
    qualified = f"{kind}.{group}" if group else kind
    causes = tuple(StatusCause(reason=e.type, message=e.body, field=e.path) for e in field_errors)
    details = StatusDetails(name=name, group=group, kind=kind, causes=causes)
    return api_error(f'{qualified} "{name}" {sentence}', "Invalid", 422, details)


def bad_request(message: str) -> ApiError:
    """Say that the request makes no sense."""
    return api_error(message, "BadRequest", 400)


def expired(message: str) -> ApiError:
    """Say that the revision asked for is no longer kept: list again."""
    return api_error(message, "Expired", 410)


def gone(message: str) -> ApiError:
    """Say that something is not there any more and will not come back."""
    return api_error(message, "Gone", 410)


def no_such_path() -> ApiError:
    """Say that the server serves no such path: an unknown kind or subresource."""
    message = "the server could not find the requested resource"
    return api_error(message, "NotFound", 404, StatusDetails())


def unprocessable(message: str) -> ApiError:
    """Say that the request was understood and cannot be carried out, as with a failing patch."""
    return api_error(message, "Invalid", 422, StatusDetails())


def namespace_terminating(resource: Resource, name: str, namespace: str) -> ApiError:
    """Say that nothing new can be made in a namespace that is being deleted."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    refused = forbidden(resource, name, why).status
    cause = StatusCause(
        reason="NamespaceTerminating",
        message=f"namespace {namespace} is being terminated",
        field="metadata.namespace",
    )
    details = msgspec.structs.replace(refused.details or StatusDetails(), causes=(cause,))
    return ApiError(msgspec.structs.replace(refused, details=details))


def unsupported_media_type(message: str = "415: Unsupported Media Type") -> ApiError:
    """Say that the body has a form which the server does not read."""
    return api_error(message, "UnsupportedMediaType", 415, StatusDetails())


def too_many_requests(message: str, causes: Sequence[StatusCause] = ()) -> ApiError:
    """Say that the request may succeed later."""
    return api_error(message, "TooManyRequests", 429, StatusDetails(causes=tuple(causes)))


def internal(message: str) -> ApiError:
    """Say that the server could not do its work."""
    details = StatusDetails(causes=(StatusCause(message=message),))
    return api_error(f"Internal error occurred: {message}", "InternalError", 500, details)


def unknown(message: str) -> ApiError:
    """Say what went wrong without a reason, as the server does with unforeseen errors."""
    return api_error(message, "", 500)


def service_unavailable(message: str) -> ApiError:
    """Say that the server cannot answer now."""
    return api_error(message, "ServiceUnavailable", 503)


def timeout(message: str, retry_after: int = 0, causes: Sequence[StatusCause] = ()) -> ApiError:
    """Say that the request took too long; ``retry_after`` is in seconds."""
    details = StatusDetails(causes=tuple(causes), retryAfterSeconds=retry_after)
    return api_error(f"Timeout: {message}", "Timeout", 504, details)


def _about(resource: Resource, name: str, message: str, reason: str, code: int) -> ApiError:
    details = StatusDetails(name=name, group=resource.group, kind=resource.plural)
    return api_error(message, reason, code, details)


def method_not_allowed(details: StatusDetails | None = None) -> ApiError:
    """Return the refusal of a verb that a resource does not have."""
    message = "the server does not allow this method on the requested resource"
    return api_error(message, "MethodNotAllowed", 405, details)


def api_error(
    message: str, reason: str, code: int, details: StatusDetails | None = None
) -> ApiError:
    """Return a refusal with any reason, message and HTTP status code."""
    status = Status(status="Failure", message=message, reason=reason, code=code, details=details)
    return ApiError(status)
