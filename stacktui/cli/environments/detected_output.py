"""Which profile a stamp accepts, as commands find and write it."""

from __future__ import annotations

from typing import Any

from stacktui.check.profile_detection import DetectedProfile, detect_profile, to_detect
from stacktui.check.target import CheckTarget
from stacktui.cli.arm import ArmSession, run_on
from stacktui.cli.layout import err_wrapped
from stacktui.cli.options import ArmRequest, ExitCode


def find_profile(
    target: CheckTarget, request: ArmRequest, *, saved: bool = True
) -> DetectedProfile | None:
    """Return the newest profile that the stamp accepts; None after a fault, which was reported.

    `saved` says whether the config has the environment, which other commands can name then.
    """
    found: list[DetectedProfile] = []

    async def detect(session: ArmSession) -> int:
        found.append(await detect_profile(session.client, session.target.environment))
        return ExitCode.HEALTHY

    run_on(to_detect(target), request, detect, saved=saved)
    return found[0] if found else None


def err_detected(found: DetectedProfile) -> None:
    for each in found.evidence:
        err_wrapped(f"  {each}", 4)


def detected_document(found: DetectedProfile) -> dict[str, Any]:
    return {
        "profile": found.profile,
        "build": found.build or None,
        "evidence": list(found.evidence),
    }
