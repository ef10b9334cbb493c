"""How far two clocks are apart, as the answers' `Date` tells."""

from __future__ import annotations

from datetime import datetime, timedelta

from stacktui.diagnosis.context import ReportContext
from stacktui.transport.records import Exchange

# Tokens and assertions fail from 5 minutes on (PROTOCOL.md section 4), in seconds.
MAX_SKEW = 300.0
# More than thirty years off tells no time at all.
_IMPLAUSIBLE_SKEW = 30 * 365 * 86400.0


def skew_of(exchange: Exchange | None) -> float | None:
    """Seconds by which the clock of the host that answered is ahead; None where it sent no Date."""
    skew = exchange.response.clock_skew if exchange and exchange.response else None
    return skew if skew is not None and abs(skew) <= _IMPLAUSIBLE_SKEW else None


def server_time(report: ReportContext, least: float) -> datetime | None:
    """What the first host that said its time says it was when the check started.

    None where no host said it, or where it is less than `least` seconds from this machine's.
    """
    exchanges = (each for step in report.report.steps for each in step.evidence.exchanges)
    skew = next((known for each in exchanges if (known := skew_of(each)) is not None), 0.0)
    if abs(skew) < least:
        return None
    try:
        return report.now + timedelta(seconds=skew)
    except OverflowError:  # at the end of all time
        return None


def is_skewed(exchange: Exchange | None) -> bool:
    """Whether the answering host's clock and this machine's are too far apart to sign in."""
    return abs(skew_of(exchange) or 0.0) >= MAX_SKEW


def clock_line(exchange: Exchange | None) -> list[str]:
    """One line on the clock of the host that answered, as seen from here."""
    skew = skew_of(exchange)
    if skew is None:
        return []
    if abs(skew) < MAX_SKEW:
        return [f"this machine's clock agrees with the sign-in service's to {abs(skew):.0f} s"]
    return [skew_text(skew, "the sign-in service's")]


def skew_text(skew: float, whose: str) -> str:
    """`the stamp's clock is 1,200 s (20 min) ahead of this machine's`."""
    side = "ahead of" if skew > 0 else "behind"
    return f"{whose} clock is {abs(skew):,.0f} s ({abs(skew) / 60:.0f} min) {side} this machine's"
