"""What a form says of the stamp: how to ask it, then its metadata, or the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stacktui.environments.cloud import Origin, cloud_of
from stacktui.environments.model import CloudKey
from stacktui.tui.app_state import AppState
from stacktui.tui.check_state import CheckState
from stacktui.tui.formatting import PROVIDERS, copied_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.live_check import LiveCheck
from stacktui.tui.panes.check_result import LABEL, Keys, verdict_lines
from stacktui.tui.panes.check_steps import WIDE, step_lines, waiting_lines

if TYPE_CHECKING:
    from stacktui.check.registration import Discovery

# Before anything was asked.
HOW_TO_ADD = (
    line(
        "Paste the ARM URL, or what you have of the stamp: a host name, its metadata URL, the "
        "address of its portal. ",
        Span("enter", TextStyle.KEY),
        " asks the stamp for the rest, and shows it here before anything is saved.",
    ),
    BLANK,
    label_value("user", Span("https://management.<region>.<fqdn>", TextStyle.DIM)),
    label_value("operator", Span("https://adminmanagement.<region>.<fqdn>", TextStyle.DIM)),
    label_value("ASDK", Span("local", TextStyle.DIM)),
)
HOW_TO_EDIT = (
    line(
        "What the file has besides (resolve, limits) stays as it is. A changed address is asked "
        "before it is saved; ",
        Span("ctrl+s", TextStyle.KEY),
        " saves at once.",
    ),
)

# The form's own way to trust a root.
CA_FILE = line(
    Span("here".ljust(LABEL), TextStyle.DIM),
    "If you have the root as a file, put its path into CA file: ",
    Span("enter", TextStyle.KEY),
    " asks again",
    indent=LABEL,
)


# What is shown of a cloud, in this order.
_LABELS = {
    CloudKey.AUDIENCE: "audience",
    CloudKey.PORTAL: "portal",
    CloudKey.GALLERY: "gallery",
    CloudKey.GRAPH: "graph",
    CloudKey.STORAGE_SUFFIX: "storage",
    CloudKey.KEYVAULT_SUFFIX: "key vault",
    CloudKey.IMAGE_ALIASES: "aliases",
}


def discovery_lines(
    live: LiveCheck, found: Discovery | None, app_state: AppState, glyphs: Glyphs, now: float
) -> list[Line]:
    """Return the step, and then the verdict, or each value of the stamp with its origin.

    `found` is what was asked after the check, None until it is known. `now` is `time.monotonic()`,
    of which a running check shows how long it waits.
    """
    step = live.steps[0]
    lines = [*step_lines(step, WIDE, glyphs, brief=False), BLANK]
    if live.running:
        return [*waiting_lines(live, WIDE, glyphs, now), *lines]
    if live.state is CheckState.CANCELLED:
        return [line(Span(f"{glyphs.skipped} cancelled", TextStyle.WARNING)), *lines]
    if live.state is CheckState.BROKEN:
        error = Span(f"{glyphs.failed} {live.error}", TextStyle.ERROR)
        return [*lines, line(error)]
    if live.verdict is not None:
        keys = Keys(copied=copied_of(live.diagnosis))
        said = verdict_lines(live.verdict, glyphs, keys)
        if live.verdict.id == "tls-untrusted-root":
            said.insert(2, CA_FILE)
        return [*said, BLANK, *lines[:-1]]
    metadata = live.metadata
    if metadata is None:
        return lines
    cloud = found.cloud if found else cloud_of(live.target.environment, metadata)
    login = cloud.values[CloudKey.LOGIN_ENDPOINT]
    provider = PROVIDERS[cloud.identity_provider]
    lines.append(_value("sign-in", f"{provider}, {login.text}", login.origin))
    if cloud.tenant:
        lines.append(_value("tenant", cloud.tenant, Origin.METADATA))
    values = ((label, cloud.values.get(key)) for key, label in _LABELS.items())
    lines += [_value(label, each.text, each.origin) for label, each in values if each]
    for what, older, newer in found.diff.disagreements if found else ():
        text = f"the metadata's two shapes disagree on {what}: {older} (used), {newer}"
        lines.append(line(Span(f"{glyphs.warning} {text}", TextStyle.WARNING)))
    return [*lines, *_issuer_lines(live, app_state)]


def _value(label: str, text: str, origin: Origin) -> Line:
    return label_value(label, text, Span(f"  {origin}", TextStyle.DIM))


def _issuer_lines(live: LiveCheck, app_state: AppState) -> list[Line]:
    """Return the issuer at the end of the presented chain, with its SHA-256."""
    for each in live.connections[:1]:
        chain = each.tls.chain if each.tls else ()
        last = app_state.certificates.get(chain[-1]) if chain else None
        if last is not None:
            issuer = last.common_name if last.self_issued else last.issuer_name
            sha256 = Span(f"SHA-256 of {last.common_name}: {last.sha256}", TextStyle.DIM)
            return [label_value("signed by", issuer), label_value("", sha256)]
    return []
