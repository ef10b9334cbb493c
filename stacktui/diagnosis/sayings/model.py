"""What one recognisable saying is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Saying:
    """Words by which a message can be recognised, and which faults it can mean.

    `label` says what was recognised in words of ours: of a pasted text itself nothing is shown.
    `patterns` are regular expressions for text in lower case whose white space is single blanks;
    all of them must be found. They repeat one character class at a time, and not without a bound,
    so that any text takes linear time. `means` weighs the ids of faults: from 80 on the words mean
    nothing else, around 50 they mean a few faults, under 30 hardly more than that something
    failed; beyond 100 they also say that what they quote is not the fault itself, as a proxy's
    error quotes a refused connection. `note` is said besides, where there is more to say than a
    definition does.
    """

    label: str
    patterns: tuple[str, ...]
    means: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
