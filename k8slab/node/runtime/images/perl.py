"""perl, for the one program that every reader of the documentation runs: the digits of pi.

`perl -Mbignum=bpi -wle 'print bpi(2000)'` prints them; `print "text"` and `sleep N` work too.

Upstream: kubernetes.io/docs/concepts/workloads/controllers/job, perl bignum
"""

from __future__ import annotations

import re

from k8slab.node.runtime.process import Process

CPU_PER_DIGIT = 0.002  # s: bpi(2000) takes some seconds on real machines


async def main(process: Process) -> int:
    """Run the statements of -e."""
    script = process.args[-1] if len(process.args) > 1 else ""
    for statement in (part.strip() for part in script.split(";")):
        if found := re.fullmatch(r"print bpi\((\d+)\)", statement):
            digits = int(found[1])
            await process.compute(digits * CPU_PER_DIGIT)
            process.log(pi(digits))
        elif found := re.fullmatch(r"print\s+[\"'](.*)[\"']", statement):
            process.log(found[1].removesuffix("\\n"))
        elif found := re.fullmatch(r"sleep\s+(\d+)", statement):
            await process.sleep(int(found[1]))
        elif statement:
            process.error(f"perl: only bpi, print and sleep are simulated, found: {statement}")
            return 255
    return 0


def pi(digits: int) -> str:
    """Return pi with so many significant digits, by Machin's formula.

    >>> pi(12)
    '3.14159265359'
    """
    unit: int = 10 ** (digits + 10)

    def arctan(inverse: int) -> int:
        term = total = unit // inverse
        square, divisor, sign = inverse * inverse, 1, 1
        while term:
            term //= square
            divisor, sign = divisor + 2, -sign
            total += sign * (term // divisor)
        return total

    value = 4 * (4 * arctan(5) - arctan(239))
    rounded = str((value + 5 * 10**10) // 10**11)
    return f"{rounded[0]}.{rounded[1:]}"
