"""What label keys and values may look like.

Interface: ``key_errors`` and ``value_errors``: the reasons why a text is none, empty if it is one.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go
"""

import re

_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

NAME_ERROR = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    f"regex used for validation is '{_NAME}')"
)
SUBDOMAIN_ERROR = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{_SUBDOMAIN}')"
)
VALUE_ERROR = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    f"or '12345', regex used for validation is '({_NAME})?')"
)
KEY_ERROR = (
    "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
    f"used for validation is '{_NAME}') with an optional DNS subdomain prefix and '/' "
    "(e.g. 'example.com/MyName')"
)


def key_errors(key: str) -> list[str]:
    """Say why a text is no label key (or annotation key, resource name, ...)."""
    prefix, slash, name = key.rpartition("/")
    if prefix.count("/"):
        return [KEY_ERROR]
    errors = _prefix_errors(prefix) if slash else []
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > 63:
        errors.append("name part must be no more than 63 bytes")
    if not re.fullmatch(_NAME, name):
        errors.append(f"name part {NAME_ERROR}")
    return errors


def value_errors(value: str) -> list[str]:
    """Say why a text is no label value."""
    errors = ["must be no more than 63 bytes"] if len(value.encode()) > 63 else []
    if value and not re.fullmatch(_NAME, value):
        errors.append(VALUE_ERROR)
    return errors


def _prefix_errors(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    errors = ["prefix part must be no more than 253 bytes"] if len(prefix) > 253 else []
    if not re.fullmatch(_SUBDOMAIN, prefix):
        errors.append(f"prefix part {SUBDOMAIN_ERROR}")
    return errors
