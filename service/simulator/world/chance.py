"""Reproducible chance: the same words always draw the same number."""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()


def chance(*words: object) -> float:
    """A number strictly between 0 and 1, decided by the words alone."""
    digest = blake2b("|".join(map(str, words)).encode(), digest_size=6).digest()
    return (int.from_bytes(digest) + 0.5) / 2**48


def bell(*words: object) -> float:
    """A draw from the standard normal distribution, decided by the words alone."""
    return _NORMAL.inv_cdf(chance(*words))
