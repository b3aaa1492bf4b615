"""Quantities such as "250m" and "64Mi": amounts of CPU, memory and anything else.

Upstream: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go
"""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    Quantity: TypeAlias = str
else:

    class _AnyText(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, str)

    class Quantity(metaclass=_AnyText):
        """Text in objects; a type of its own only so that the decoder canonicalises it."""
