"""How often a process that serves or works looks for cyclic garbage.

Python's own thresholds suit short scripts. While a long report is ingested they look through a million live facts
again and again, and each time nothing else runs (`python benchmarks/ingest.py`).
"""

from __future__ import annotations

import gc

THRESHOLDS = 10_000, 20, 50
"""New objects before the young are looked through, and how many such rounds before the older ones are, and all."""


def spare_what_lives() -> None:
    """Leaves out of every later round what is imported by now, and makes rounds rare. Once, as a process begins."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
