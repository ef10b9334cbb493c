"""Commands that show what a URL really answers, asked the way the check asked it."""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.shell import bash, powershell

_SECONDS = 60


def look_at(case: FailureContext, url: str) -> tuple[str, str]:
    """For bash and PowerShell. curl is told of the environment's own CA, pin and direct way.

    What the server says reaches no terminal as it came: it could act there.
    """
    # Not to be expanded by curl: the server may have chosen the URL.
    options = [f"-sS -i -g -m {_SECONDS}"]
    if case.environment.ca:
        options.append(f"--cacert {bash(str(case.environment.ca))}")
    if case.environment.proxy == "none":
        options.append("--noproxy '*'")
    if case.connection and case.connection.pinned:
        options.append(f"--connect-to {bash('::' + case.connection.pinned)}")
    ask = f"(Invoke-WebRequest -TimeoutSec {_SECONDS} {powershell(url)}).RawContent"
    return (
        f"curl {' '.join(options)} {bash(url)} | head -c 2000 | cat -v",
        rf"{ask} -replace '[^\x20-\x7E\r\n\t]', '?'",
    )


def look_again(case: FailureContext) -> tuple[str, str]:
    """The deciding request once more; nothing where there was none."""
    return look_at(case, case.last.url) if case.last else ("", "")
