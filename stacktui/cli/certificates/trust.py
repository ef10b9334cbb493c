"""`stacktui certificates trust`: show a root, ask, and add it to one bundle."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from stacktui.certificates.bundle import WAAGENT, Change, plain, plan_addition
from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.document import SCHEMA, certificate_document
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.file_repair import read_certificates
from stacktui.certificates.formatting import COMPARE, LOST_BY_UPGRADE, last_digits
from stacktui.certificates.roots import root_of, why_no_root
from stacktui.certificates.scan import scan_one
from stacktui.certificates.stores import find_stores
from stacktui.certificates.trust_root import ChosenRoots, added_before, choose_roots
from stacktui.certificates.trust_target import Outcome, TrustTarget, add
from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget
from stacktui.check.trust import target_ca_sources
from stacktui.cli.ask import CommandError, RemoteError, confirm, confirm_by_typing, yes_option
from stacktui.cli.certificates.targets import (
    environment_option,
    fingerprint_in,
    store_option,
    target_of,
    target_options,
)
from stacktui.cli.layout import wrapped
from stacktui.cli.name_completion import environment_names
from stacktui.cli.options import ConfigSource, examples, format_option, talks_to_stamp
from stacktui.cli.output import day, err, out
from stacktui.cli.settings import read_settings, require_writable
from stacktui.config.locations import additions_file, own_bundle
from stacktui.environments.endpoints import Endpoint, arm_endpoint
from stacktui.environments.model import Environment, parse_arm_url
from stacktui.text.counts import count_of
from stacktui.text.sanitize import escape_control_chars
from stacktui.text.shell import command_line, for_this_machine
from stacktui.transport.host import is_host

# Up to so many certificates are shown in full before the question; more get a line each.
_IN_FULL = 3
# Of a fingerprint with colons, so that it fits a terminal of 80 columns in two rows.
_HALF = 48


@dataclass(frozen=True, slots=True)
class RootSource:
    """The source of the certificates to trust; exactly one is set."""

    file: str | None
    presented: str | None
    host: str | None
    waagent: bool

    def __post_init__(self) -> None:
        if sum((self.file is not None, self.presented is not None, self.waagent)) != 1:
            raise click.UsageError("Name one source: FILE, --presented ENV or --waagent.")
        if self.host is not None and self.presented is None:
            raise click.UsageError("--host goes with --presented.")

    @property
    def name(self) -> str:
        return self.file or f"the chain of {self.presented}" if not self.waagent else str(WAAGENT)

    def certificates(self, settings: Settings | None) -> tuple[bytes, ...]:
        """Raises CertificateError and CommandError."""
        if self.file is not None:
            fingerprint = fingerprint_in(self.file)
            if fingerprint is not None:
                return (added_before(fingerprint).der,)
            return read_certificates(Path(self.file))
        if self.presented is not None and settings is not None:
            return (presented_root(_presenting(settings, self.presented), self.host),)
        return read_certificates(WAAGENT)


@click.command(
    epilog=examples(
        "stacktui certificates trust root.pem", "stacktui certificates trust --presented West"
    )
)
@click.argument(
    "file",
    metavar="[FILE|SHA256]",
    required=False,
    shell_complete=click.Path().shell_complete,
)
@store_option
@environment_option
@click.option(
    "--presented",
    metavar="ENV|URL",
    shell_complete=environment_names,
    help="Trust the root that environment ENV, or the stamp at URL, presents.",
)
@click.option("--host", metavar="HOST[:PORT]", help="With --presented: this host instead of ARM's.")
@click.option("--waagent", is_flag=True, help=f"Trust the certificates in {WAAGENT}.")
@yes_option
@format_option
@talks_to_stamp
def command(
    config: ConfigSource,
    /,
    store: Path | None,
    environment: str | None,
    yes: bool,
    format_: str,
    **from_: Any,
) -> None:
    """Trust the CA certificates in FILE (PEM or DER) as roots.

    Adds them to stacktui's own bundle, which counts for every environment, unless --environment or
    --store names another bundle. Before it changes a bundle that is not stacktui's, it asks and
    makes a backup; `untrust` removes exactly what was added. SHA256 names a root that was added
    before and lost, as an upgrade of certifi does.
    """
    require_writable(config)
    source = RootSource(**from_)
    needed = environment or source.presented
    settings = read_settings(config) if needed else None
    roots = choose_roots(source.certificates(settings), source.name)
    target = target_of(settings, store, environment, roots.ders, to_add=True)
    change = plan_addition(target.path, roots.ders, ours=target.ours)
    for certificate, why in roots.left_out:
        err(f"! left out: {certificate.common_name} {why}")
    if change.changes or target.new_ca:
        _introduce(change, target)
        _ask(change, target, source, yes=yes)
    outcome = add(target, change)
    fingerprints = [plain(describe(der).sha256) for der in roots.ders]
    options = target_options(settings, store, environment)
    undo = command_line("stacktui certificates untrust", [*fingerprints, *options])
    if format_ == "json":
        click.echo(json.dumps(_document(target, change, roots, outcome, undo)))
    else:
        _write(target, change, outcome, for_this_machine(undo))
    if outcome.trouble:
        err(f"! {outcome.trouble}")


def _presenting(settings: Settings, presented: str) -> CheckTarget:
    """Return the environment that `--presented` names, or one of that URL that is in no config."""
    if "://" not in presented or presented in settings.names:
        return settings.target(presented)
    try:
        return CheckTarget(Environment("", parse_arm_url(presented)), None, settings.named)
    except ValueError as error:
        raise CommandError(f"the URL {error}") from None


def presented_root(target: CheckTarget, host: str | None) -> bytes:
    """Return the root of the chain that ARM, or `host`, presents now; else a store's.

    Raises CertificateError if there is no root, FaultError if there is no chain.
    """
    chain = _presented_chain(target, host)
    found = root_of(chain, find_stores(target.environment.ca, own_bundle()))
    if found is None:
        no_root = why_no_root(chain)
        raise CertificateError(f"{no_root.why}; {no_root.remedy}")
    if found.where is not None:
        err(f"The host does not present its root; on this machine it is in {found.where.path}")
    return found.der


def _presented_chain(target: CheckTarget, host: str | None) -> tuple[bytes, ...]:
    """Leaf first. Raises FaultError."""
    endpoint = arm_endpoint(target.environment)
    if host is not None:
        name, port = _host_and_port(host)
        endpoint = Endpoint((name,), name, port, name, named=True)
    seen = asyncio.run(scan_one(target.environment, target_ca_sources(target), endpoint))
    if not seen.chain:
        detail = seen.fault.detail if seen.fault else "no certificate came"
        name, hint = target.environment.name, ""
        if name:  # else it is of a URL
            config = [] if target.config is None else ["--config", str(target.config)]
            check = command_line("stacktui check", [*config, "--", name])
            hint = f"; how far a request gets: {for_this_machine(check)}"
        raise RemoteError(f"{endpoint.key} presented no chain: {detail}{hint}")
    return seen.chain


def _host_and_port(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname or "", parts.port or 443
    except ValueError:
        name, port = "", 443
    if not is_host(name) or parts.path or parts.query or parts.username is not None:
        raise click.BadParameter(
            f"{escape_control_chars(text)!r} is not a host", param_hint="--host"
        )
    return name, port


def _introduce(change: Change, target: TrustTarget) -> None:
    """Write what is to be trusted, and in which bundle."""
    certificates = [describe(der) for der in change.added or change.present]
    for each in certificates:
        if len(certificates) > _IN_FULL:
            err(f"  {each.sha256[-11:]}  until {day(each.not_after)}  {each.common_name[:48]}")
        else:
            _introduce_whole(each)
    err(f"goes into {target.path}")
    if target.new_ca:
        err(f"which becomes ca of {', '.join(target.environments)}")
    if len(target.environments) > 1:
        err(f"the ca of {', '.join(target.environments)}")
    if target.is_certifi:
        err(f"! {LOST_BY_UPGRADE}")
        err("! What survives upgrades and needs no root rights: stacktui certificates export")


def _introduce_whole(certificate: Certificate) -> None:
    err(certificate.common_name)
    err(f"  subject  {certificate.subject}")
    err(f"  SHA-256  {certificate.sha256[:_HALF]}")
    err(f"           {certificate.sha256[_HALF:]}")
    err(f"  valid    {day(certificate.not_before)} to {day(certificate.not_after)}")
    if not certificate.self_issued:
        err(f"  !        an intermediate, no root: trust {certificate.issuer_name} too, as")
        err("           most programs trust no chain that ends below a root")
    if certificate.not_before is not None and certificate.not_before > datetime.now(UTC):
        err("  !        not valid yet, by the clock of this machine")


def _ask(change: Change, target: TrustTarget, source: RootSource, *, yes: bool) -> None:
    number = count_of(len(change.added), "certificate")
    if source.presented is not None:
        fingerprint = describe((change.added or change.present)[0]).sha256
        question = wrapped(f"Nobody has vouched for it in this place yet. {COMPARE}", 0)
        confirm_by_typing("\n".join(question), last_digits(fingerprint), yes=yes)
    elif change.changes and not target.ours:
        confirm(f"Add {number} to {target.path!s}?", yes=yes)
    elif source.waagent:
        confirm(f"Trust {number} of {WAAGENT}?", yes=yes)


def _write(target: TrustTarget, change: Change, outcome: Outcome, undo: str) -> None:
    present = len(change.present)
    if change.added:
        also = f" ({present} were there already)" if present else ""
        out(f"Added {count_of(len(change.added), 'certificate')} to {target.path}{also}")
    else:
        what = "it is" if present == 1 else f"all {present} are"
        out(f"Nothing to do: {what} in {target.path} already")
    if target.new_ca:
        out(f"Set ca of {', '.join(target.environments)}")
    if outcome.backup is not None:
        out(f"As it was before: {outcome.backup}")
    if not change.added:
        return
    out(f"To undo: {undo}")
    if target.ours:
        err("az does not read this file; for az: stacktui certificates export")
    elif os.environ.get("SUDO_USER"):
        err(f"! Remembered in {additions_file()}:")
        err("! only a check that reads it notices when an upgrade loses the addition.")


def _document(
    target: TrustTarget,
    change: Change,
    roots: ChosenRoots,
    outcome: Outcome,
    undo: dict[str, str],
) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "schema": SCHEMA,
        "path": str(target.path),
        "environments": list(target.environments),
        "changed": change.changes or bool(target.new_ca),
        "added": [certificate_document(describe(der), now) for der in change.added],
        "present": [certificate_document(describe(der), now) for der in change.present],
        "left_out": [
            {"certificate": certificate_document(each, now), "reason": why}
            for each, why in roots.left_out
        ],
        "backup": None if outcome.backup is None else str(outcome.backup),
        "undo": undo,
        "trouble": outcome.trouble or None,
    }
