"""`stacktui identities test`: sign in to an environment, and diagnose what goes wrong."""

from __future__ import annotations

import asyncio
import json
import threading

import click

from stacktui.check.events import CheckFinished, SignInPrompt
from stacktui.check.report import Report
from stacktui.check.runner import run
from stacktui.check.step_names import StepName
from stacktui.check.summary_text import prompt_summary
from stacktui.check.target import CheckTarget
from stacktui.check.trust import preload_trust
from stacktui.cli.arm import signing_in
from stacktui.cli.check_output import TextWriter
from stacktui.cli.name_completion import identity_names
from stacktui.cli.options import ArmRequest, ExitCode, examples, format_option, reads_arm
from stacktui.cli.output import warn
from stacktui.cli.settings import read_settings
from stacktui.diagnosis import diagnose
from stacktui.diagnosis.document import finding_document


@click.command(
    epilog=examples(
        "stacktui identities test ops -e West",
        "stacktui identities test ops -e West --format json",
    )
)
@click.argument("name", metavar="NAME", shell_complete=identity_names)
@format_option
@reads_arm(subscription=False, listing=False)
def command(request: ArmRequest, name: str) -> None:
    """Sign in with the identity NAME, by the check's own steps: metadata and token.

    No resource is read, and nothing is in the history; a stamp that is not recorded yet is, once it
    signs in. As JSON, `verdict` is as in the check's,
    null where it signs in. Exits with 1 if it does not.
    """
    settings = read_settings(request.source, request.environment)
    target = signing_in(settings, request.environment, name)
    # Beside the first request, as in a check.
    threading.Thread(target=preload_trust, args=(target,), daemon=True).start()
    writer = TextWriter() if request.format_ == "text" else None
    report = asyncio.run(_sign_in(target, writer))
    diagnosis = diagnose(report)
    if writer is not None:
        writer.write_diagnosis(diagnosis)
    else:
        verdict = finding_document(diagnosis.verdict) if diagnosis.verdict else None
        click.echo(json.dumps({"ok": report.ok, "verdict": verdict}))
    click.get_current_context().exit(ExitCode.HEALTHY if report.ok else ExitCode.FAULT)


async def _sign_in(target: CheckTarget, writer: TextWriter | None) -> Report:
    async for event in run(target, goal=StepName.TOKEN):
        if writer is not None:
            writer.write(event)
        match event:
            case SignInPrompt():
                warn(prompt_summary(event))
            case CheckFinished(report=report):
                return report
    raise AssertionError("a check ends with CheckFinished")
