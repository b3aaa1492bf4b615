"""Quantities such as "250m", "64Mi" and "1e3": exact amounts of CPU, memory and anything else.

Interface: ``milli_value`` and ``value`` (what arithmetic uses, rounded up), ``canonical`` (what
objects hold), ``parse`` (the exact number), ``format_quantity`` (back to text).
Rule: objects hold canonical text, arithmetic whole numbers: CPU in millicores, memory in bytes.

>>> canonical("0.5"), canonical("1024Mi"), canonical("1.5Gi")
('500m', '1Gi', '1536Mi')
>>> milli_value("0.1"), value("100m")
(100, 1)

Upstream: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    Quantity: TypeAlias = str
else:

    class _AnyText(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, str)

    class Quantity(metaclass=_AnyText):
        """Plain text in objects; a type of its own only so that the decoder makes it canonical."""


Style: TypeAlias = Literal["BinarySI", "DecimalSI", "DecimalExponent"]

FORMAT_ERROR = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
SUFFIX_ERROR = "unable to parse quantity's suffix"

# The true grammar is a little wider than the one in the message: "Ki" alone is zero.
_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_NANO = 10**9
_MAX_BINARY = 2**63 - 1  # binary amounts are capped here, decimal ones are not


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """Return the text that the API server stores for a quantity; ValueError in upstream's words."""
    return format_quantity(*parse(text))


@lru_cache(maxsize=4096)
def milli_value(text: str) -> int:
    """Return a quantity in thousandths, rounded up; CPU is reckoned in these."""
    return -((-parse(text)[0] * 1000) // 1)


@lru_cache(maxsize=4096)
def value(text: str) -> int:
    """Return a quantity in whole units, rounded up; memory is reckoned in these (bytes)."""
    return -((-parse(text)[0]) // 1)


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Fraction, Style]:
    """Return the exact number and the family of suffixes it was written with."""
    text = text.strip()
    match = _SHAPE.fullmatch(text)
    if not text or match is None:
        raise ValueError(FORMAT_ERROR)
    sign, whole, part, suffix = match.groups(default="")
    factor, style = _suffix(suffix)
    amount = Fraction(int(whole + part or "0"), 10 ** len(part)) * factor
    if style == "BinarySI":
        amount = min(amount, Fraction(_MAX_BINARY))
    # Nothing is smaller than a nano: whoever asks for a little gets a little, not nothing.
    amount = Fraction(-((-amount * _NANO) // 1), _NANO)
    return (-amount if sign == "-" else amount), style


def format_quantity(amount: Fraction, style: Style) -> str:
    """Write an amount with the largest suffix of its family that needs no fraction."""
    if style == "BinarySI" and (abs(amount) < 1024 or amount.denominator != 1):
        style = "DecimalSI"
    if amount == 0:
        return "0"
    if style == "BinarySI":
        number, power = _strip(int(amount), 1024, len(_BINARY) - 1)
        return f"{number}{_BINARY[power]}"
    # In nanos every amount is whole; each factor of 1000 taken out moves the exponent by 3.
    limit = 9 if style == "DecimalSI" else 1000
    number, power = _strip(int(amount * _NANO), 1000, limit)
    exponent = 3 * power - 9
    if style == "DecimalSI":
        return f"{number}{_DECIMAL_SUFFIX[exponent]}"
    return f"{number}e{exponent}" if exponent else str(number)


def _suffix(suffix: str) -> tuple[Fraction, Style]:
    if suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return Fraction(1024 ** _BINARY.index(suffix)), "BinarySI"
    exponent = suffix[1:]
    # Beyond a thousand digits an amount is a mistake, and would take for ever to write out.
    if suffix[0] in "eE" and exponent.lstrip("+-").isdecimal() and abs(int(exponent)) <= 1000:
        return Fraction(10) ** int(exponent), "DecimalExponent"
    raise ValueError(SUFFIX_ERROR)


def _strip(number: int, base: int, limit: int) -> tuple[int, int]:
    power = 0
    while power < limit and number % base == 0:
        number //= base
        power += 1
    return number, power
