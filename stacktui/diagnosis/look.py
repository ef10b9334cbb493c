"""Commands that show what a URL really answers, asked the way the check asked it."""

from __future__ import annotations

from stacktui.diagnosis.case import Case
from stacktui.diagnosis.shell import bash, powershell

_SECONDS = 60


def look_at(case: Case, url: str) -> tuple[str, str]:
    """For bash and PowerShell. curl is told of the environment's own CA, pin and direct way."""
    options = [f"-sS -i -m {_SECONDS}"]
    if case.environment.ca:
        options.append(f"--cacert {bash(str(case.environment.ca))}")
    if case.environment.proxy == "none":
        options.append("--noproxy '*'")
    if case.connection and case.connection.pinned:
        options.append(f"--connect-to {bash('::' + case.connection.pinned)}")
    return (
        f"curl {' '.join(options)} {bash(url)} | head -c 2000",
        f"(Invoke-WebRequest -TimeoutSec {_SECONDS} {powershell(url)}).RawContent",
    )


def look_again(case: Case) -> tuple[str, str]:
    """The deciding request once more; nothing where there was none."""
    return look_at(case, case.last.url) if case.last else ("", "")
