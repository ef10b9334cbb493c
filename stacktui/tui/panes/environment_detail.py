"""The detail of an environment: its settings, its endpoints, and what its last check found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stacktui.environments.model import CloudKey, Environment
from stacktui.environments.naming import is_operator_endpoint
from stacktui.text.shell import command_line, for_this_machine
from stacktui.text.times import moment_text
from stacktui.transport.proxy import without_credentials
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import PROVIDERS, duration, state_spans
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value
from stacktui.tui.panes.environments import (
    OPERATOR_SIGN,
    UNUSABLE,
    duration_of,
    how_to_fix,
    last_known,
    recalled,
    time_of,
)

if TYPE_CHECKING:
    from stacktui.check.report import Report
    from stacktui.config.document import ConfigError
    from stacktui.environments.metadata import Metadata
    from stacktui.environments.record import StampRecord
    from stacktui.tui.live_check import LiveCheck

# At most so many other clients are listed.
_MAX_CLIENTS = 3


def unusable_detail(error: ConfigError, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return why an environment cannot be used, and what to do."""
    return (
        label_value("state", Span(f"{glyphs.failed} {UNUSABLE}", TextStyle.ERROR)),
        label_value("why", str(error)),
        BLANK,
        *how_to_fix(),
    )


def detail(environment: Environment, app_state: AppState, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return an environment's settings and endpoints, and what its last check found."""
    check = app_state.checks.get(environment.name)
    record = app_state.records.get(environment.name)
    record = check.report.recorded if check and check.report else record
    metadata = _whole(check.metadata if check else None, record)
    lines = [label_value("ARM", environment.arm, *_operator(environment))]
    if metadata is not None:
        provider = PROVIDERS[metadata.identity_provider]
        lines.append(label_value("sign-in", f"{provider}, {metadata.login_endpoint}"))
    lines += [
        label_value("profile", environment.profile),
        label_value(
            "identity", _or_default(environment.identity, "none: only metadata is checked")
        ),
        label_value("subscription", _or_default(environment.subscription, "the first enabled one")),
    ]
    if environment.ca:
        lines.append(label_value("ca", str(environment.ca)))
    if environment.proxy:
        lines.append(label_value("proxy", without_credentials(environment.proxy)))
    if metadata is None and environment.vm_image_aliases:  # else it is among the endpoints
        lines.append(label_value("image aliases", environment.vm_image_aliases))
    if record is not None:
        lines.append(_recorded(record, app_state))
    lines += [
        BLANK,
        label_value("last check", *_last_check(environment.name, app_state, glyphs)),
    ]
    if metadata is not None:
        lines += _in_az(environment, metadata, app_state, glyphs)
    if check is not None and check.report is not None and check.report.clients:
        lines += _clients(check.report, glyphs)
    lines.append(label_value("config", Span(str(app_state.config), TextStyle.DIM)))
    if metadata is not None:
        lines += [BLANK, *_endpoints(environment, metadata, record, glyphs)]
    lines += [
        label_value("resolve", f"{name} {glyphs.running} {address}")
        for name, address in environment.resolve.items()
    ]
    if app_state.config_error is not None:
        lines[0:0] = [
            label_value("config", Span(app_state.config_error.message, TextStyle.ERROR)),
            label_value("", "What was read before is kept."),
            *how_to_fix(),
            BLANK,
        ]
    return tuple(lines)


def _whole(metadata: Metadata | None, record: StampRecord | None) -> Metadata | None:
    """Return the metadata of a check, with what only the other shape of it says, as recorded."""
    if metadata is None or record is None:
        return metadata or (record.metadata if record else None)
    from stacktui.environments.metadata import completed

    return completed(metadata, record.metadata)


def _endpoints(
    environment: Environment, metadata: Metadata, record: StampRecord | None, glyphs: Glyphs
) -> Iterator[Line]:
    """Yield each value that other clients need, where it comes from, and what it was before."""
    # Whoever knows metadata has imported it.
    from stacktui.environments.cloud import LABELS, cloud_of
    from stacktui.environments.metadata import disagreements

    cloud = cloud_of(environment, metadata)
    was = record.metadata if record is not None and record.more else metadata
    found = disagreements(was, metadata)
    changed = {what.replace(" ", "_"): before for what, before, _ in found}
    for key, value in cloud.values.items():
        if key is CloudKey.ARM:
            continue
        yield label_value(LABELS[key], value.text, Span(f"  {value.origin}", TextStyle.DIM))
        if key in changed:
            before = f"{glyphs.warning} recorded: {changed[key]}"
            yield label_value("", Span(before, TextStyle.WARNING))


def _in_az(
    environment: Environment, metadata: Metadata, app_state: AppState, glyphs: Glyphs
) -> list[Line]:
    """Return how the environment stands in az; nothing where az is not installed."""
    if app_state.az_clouds is None:
        return []
    from stacktui.environments.cloud import cloud_of
    from stacktui.exchange.az_form import AzState, az_sync

    sync = az_sync(cloud_of(environment, metadata), app_state.az_clouds)
    active = ", its active cloud" if sync.active else ""
    match sync.state:
        case AzState.ABSENT:
            said = [Span("not registered: x registers it", TextStyle.DIM)]
        case AzState.SAME:
            said = [Span(f"{glyphs.ok} the same as [{sync.name}]{active}", TextStyle.OK)]
        case AzState.DIFFERS:
            options = ", ".join(each.option for each in sync.differences)
            what = f"{glyphs.warning} [{sync.name}]{active} differs: {options}; x shows it"
            said = [Span(what, TextStyle.WARNING)]
    return [label_value("in az", *said)]


def _clients(report: Report, glyphs: Glyphs) -> Iterator[Line]:
    """Yield this machine's Python environments of which it is known whether they work here."""
    from stacktui.diagnosis.clients import client_results
    from stacktui.diagnosis.context import ReportContext

    signs = {True: (glyphs.ok, TextStyle.OK), False: (glyphs.failed, TextStyle.ERROR)}
    known = (each for each in client_results(ReportContext(report)) if each.works is not None)
    results = sorted(known, key=lambda each: bool(each.works))  # what is wrong comes first
    for result in results[:_MAX_CLIENTS]:
        sign, style = signs[bool(result.works)]
        yield label_value(result.name, Span(f"{sign} {result.summary}", style), f"  {result.path}")
    more = len(results) - _MAX_CLIENTS
    if more > 0 or not all(each.works for each in results):
        config = report.target.config
        words = (report.target.environment.name, *(("--config", str(config)) if config else ()))
        command = for_this_machine(command_line("stacktui clients", words))
        told = f"{f'{more} more, and ' if more > 0 else ''}how to fix them: {command}"
        yield label_value("", Span(told, TextStyle.DIM))


def _last_check(name: str, app_state: AppState, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the state of the last check, and of one before this start since when it is so."""
    last = last_known(name, app_state)
    if last is None:
        check = app_state.checks.get(name)
        return (*state_spans(check, glyphs), *_duration_and_time(check, glyphs))
    from stacktui.check.streak import since_of, since_text

    now = datetime.now(UTC)
    parts = (
        duration(last.seconds),
        moment_text(last.started, now, None),
        since_text(since_of(app_state.history[name].streaks), now, None),
    )
    return (
        *recalled(last, glyphs),
        *(Span(f"{glyphs.dot}{each}", TextStyle.DIM) for each in parts if each),
    )


def _recorded(known: StampRecord, app_state: AppState) -> Line:
    """Return what was recorded of the stamp on first use, with which a check compares it."""
    root = app_state.certificates.get(known.signer)
    signs = f", {root.issuer_name} signs" if root and root.issuer_name else ""
    return label_value("recorded", f"{known.recorded:%Y-%m-%d}: {known.login_endpoint}{signs}")


def _operator(environment: Environment) -> tuple[Span, ...]:
    if not is_operator_endpoint(environment.arm):
        return ()
    return (Span("  "), Span(f"{OPERATOR_SIGN} operator", TextStyle.WARNING))


def _or_default(value: str | None, default: str) -> Span:
    return Span(value) if value else Span(default, TextStyle.DIM)


def _duration_and_time(check: LiveCheck | None, glyphs: Glyphs) -> tuple[Span, ...]:
    parts = (*duration_of(check), *time_of(check))
    return tuple(Span(f"{glyphs.dot}{part.text}", TextStyle.DIM) for part in parts)
