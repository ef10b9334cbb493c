"""The step that fetches the stamp's metadata."""

from __future__ import annotations

from dataclasses import replace

from stacktui.check.step import Step, StepContext
from stacktui.check.step_names import StepName
from stacktui.environments.discovery import fetch_metadata
from stacktui.environments.metadata import Metadata
from stacktui.text.sanitize import Redactor


async def _run(context: StepContext) -> Metadata:
    """Fetch metadata and compare it with the record, before any secret is sent.

    Raises what `fetch_metadata` and `Pin.compare` raise.
    """
    environment = context.target.environment
    metadata = await fetch_metadata(context.session, environment.arm, environment.endpoints)
    await context.pin.compare(metadata)
    return metadata


def _facts(metadata: Metadata, redactor: Redactor) -> Metadata:
    """Return the metadata with the values sanitised that are kept byte for byte."""
    return replace(
        metadata,
        login_endpoint=redactor.sanitize_untrusted(metadata.login_endpoint),
        audience=redactor.sanitize_untrusted(metadata.audience),
        login_as_given=redactor.sanitize_untrusted(metadata.login_as_given),
    )


METADATA = Step(StepName.METADATA, _run, facts=_facts)
