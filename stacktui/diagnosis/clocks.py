"""Clock skew between this machine and the hosts that answered, from their `Date` headers."""

from __future__ import annotations

from datetime import datetime, timedelta

from stacktui.check.report import Report
from stacktui.diagnosis.context import ReportContext
from stacktui.transport.records import Exchange

# Seconds from which tokens and assertions fail (PROTOCOL.md section 4).
MAX_SKEW = 300.0
# Seconds (thirty years) from which a `Date` is taken for a clock that was never set.
_IMPLAUSIBLE_SKEW = 30 * 365 * 86400.0


def skew_of(exchange: Exchange | None) -> float | None:
    """Return how many seconds the answering host's clock is ahead; None if it sent no `Date`."""
    skew = exchange.response.clock_skew if exchange and exchange.response else None
    return skew if skew is not None and abs(skew) <= _IMPLAUSIBLE_SKEW else None


def stamp_skew(report: Report) -> float | None:
    """Return the skew of the first host that sent a `Date`; None if no host sent one."""
    return next(iter(host_skews(report).values()), None)


def host_skews(report: Report) -> dict[str, float]:
    """Return the first known skew of each host, in seconds, in the order of the check."""
    found: dict[str, float] = {}
    for step in report.steps:
        for exchange in step.evidence.exchanges:
            skew = skew_of(exchange)
            if skew is not None and exchange.connection is not None:
                found.setdefault(exchange.connection.host, skew)
    return found


def server_time(report: ReportContext, least: float) -> datetime | None:
    """Return the time at which the check started, by the first host that sent a `Date`.

    None if no host sent one, or if it differs by less than `least` seconds from this machine's.
    """
    skew = stamp_skew(report.report) or 0.0
    if abs(skew) < least:
        return None
    try:
        return report.now + timedelta(seconds=skew)
    except OverflowError:  # beyond datetime.max
        return None


def is_skewed(exchange: Exchange | None) -> bool:
    """Return whether the host's clock and this machine's differ too much to sign in."""
    return abs(skew_of(exchange) or 0.0) >= MAX_SKEW


def clock_line(exchange: Exchange | None) -> list[str]:
    """Return one line that compares the clock of the answering host with this machine's."""
    skew = skew_of(exchange)
    if skew is None:
        return []
    if abs(skew) < MAX_SKEW:
        return [f"this machine's clock agrees with the sign-in service's to {abs(skew):.0f} s"]
    return [skew_text(skew, "the sign-in service's")]


def skew_text(skew: float, whose: str) -> str:
    """Return `the stamp's clock is 1,200 s (20 min) ahead of this machine's`."""
    side = "ahead of" if skew > 0 else "behind"
    return f"{whose} clock is {abs(skew):,.0f} s ({abs(skew) / 60:.0f} min) {side} this machine's"
