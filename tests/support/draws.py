"""How many examples a test of random input draws."""

from __future__ import annotations

import os


def draws(number: int) -> int:
    """Return a quarter of `number`, at least 10; all of it under `STACKTUI_EXHAUSTIVE`.

    Drawing takes a tenth of the tests' time. `.ci/run` draws all.
    """
    return number if "STACKTUI_EXHAUSTIVE" in os.environ else min(number, max(10, number // 4))
