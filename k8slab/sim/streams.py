"""Random numbers, one named stream for each who needs them.

`Streams(seed).rng("kube-proxy/worker-1")` is always the same stream for the same seed and name,
and drawing from one never moves another: adding a component does not reshuffle the rest.

Rule of use: ask by name at the moment of use; never share a stream between components.

Upstream: none (Kubernetes uses math/rand)
"""

from __future__ import annotations

import hashlib
import random

Rng = random.Random  # the type of a stream, for who is given one

# Kubernetes leaves out vowels and look-alikes, so that no name spells a word.
SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Streams:
    """All streams that come from one seed.

    >>> Streams(7).rng("a").random() == Streams(7).rng("a").random()
    True
    >>> Streams(7).rng("a").random() == Streams(7).rng("b").random()
    False
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def rng(self, name: str) -> random.Random:
        """Return the stream of that name; it goes on where its last user left it."""
        stream = self._streams.get(name)
        if stream is None:
            digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
            stream = self._streams[name] = random.Random(int.from_bytes(digest[:8], "big"))
        return stream

    def suffix(self, name: str, length: int = 5) -> str:
        """Return a random suffix as Kubernetes appends it to generated names.

        Upstream: staging/src/k8s.io/apimachinery/pkg/util/rand/rand.go
        """
        return "".join(self.rng(name).choices(SAFE_ALPHABET, k=length))
