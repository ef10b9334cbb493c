"""`stacktui certificates trust`: a root is shown, asked about, and put into one bundle."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from stacktui.certificates.additions import Addition, read_memory
from stacktui.certificates.bundle import WAAGENT, Change, may_be_trusted, plan_addition
from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.destination import Destination, Outcome, put
from stacktui.certificates.files import read_certificates
from stacktui.certificates.stores import Store, find_stores
from stacktui.check.settings import Settings
from stacktui.check.target import Target
from stacktui.cli.ask import CommandError, RemoteError, confirm, confirm_by_typing, yes_option
from stacktui.cli.certificates.place import (
    command_line,
    destination_of,
    environment_option,
    fingerprint_in,
    of_this_box,
    place_options,
    plural,
    read_settings,
    rows,
    store_option,
    tell,
    when,
)
from stacktui.cli.options import config_option, format_option, limit_option
from stacktui.cli.text import say
from stacktui.config.locations import additions_file, own_bundle
from stacktui.text.sanitize import visible

# As many certificates are shown in full before they are asked about; more get a line each.
_IN_FULL = 3
# As many digits are typed of the fingerprint of a root that was presented.
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Source:
    """What to trust: certificates (DER), and where they come from. One is needed."""

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
                return (_remembered(fingerprint).der,)
            return read_certificates(Path(self.file))
        if self.presented is not None and settings is not None:
            target = settings.target(self.presented)
            chain = presented_chain(target, self.host)
            return (presented_root(chain, find_stores(target.environment.ca, own_bundle())),)
        return read_certificates(WAAGENT)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Those that may be trusted, and the others, each with the reason."""

    taken: tuple[bytes, ...]
    left_out: tuple[tuple[Certificate, str], ...]


@click.command()
@click.argument("file", metavar="[FILE|SHA256]", required=False)
@store_option
@environment_option
@click.option("--presented", metavar="ENV", help="Trust the root that environment ENV presents.")
@click.option("--host", metavar="HOST[:PORT]", help="With --presented: this host instead of ARM's.")
@click.option("--waagent", is_flag=True, help=f"Trust what is in {WAAGENT}.")
@yes_option
@format_option
@limit_option
@config_option
@click.pass_obj
def command(
    parent: Path | None,
    /,
    store: Path | None,
    environment: str | None,
    yes: bool,
    format_: str,
    limits: dict[str, float],
    config: Path | None,
    **source: Any,
) -> None:
    """Trust the CA certificates in FILE (PEM or DER) as roots.

    They go into stacktui's own bundle, which counts for every environment, unless --environment
    or --store names another place. A bundle that is not stacktui's is asked about and backed up,
    and `untrust` takes out again exactly what was added. SHA256 names a root that was added
    before, and lost as an upgrade of certifi loses it.
    """
    chosen_source = Source(**source)
    needed = environment or chosen_source.presented
    settings = read_settings(parent, config, limits) if needed else None
    chosen = choose(chosen_source.certificates(settings), chosen_source.name)
    destination = destination_of(settings, store, environment, chosen.taken, to_add=True)
    change = plan_addition(destination.path, chosen.taken, ours=destination.ours)
    for certificate, why in chosen.left_out:
        tell(f"! left out: {certificate.common_name} {why}")
    if change.changes or destination.new_ca:
        _introduce(change, destination)
        _ask(change, destination, chosen_source, yes=yes)
    outcome = put(destination, change)
    fingerprints = [_plain_fingerprint(der) for der in chosen.taken]
    place = place_options(settings, store, environment)
    undo = command_line("stacktui certificates untrust", [*fingerprints, *place])
    if format_ == "json":
        click.echo(json.dumps(_document(destination, change, chosen, outcome, undo)))
    else:
        _write(destination, change, outcome, undo)
    if outcome.trouble:
        tell(f"! {outcome.trouble}")


def choose(ders: tuple[bytes, ...], source: str) -> Chosen:
    """Those that may be trusted as roots. Raises CommandError when none may."""
    now = datetime.now(UTC)
    judged = [(der, may_be_trusted(der, now)) for der in dict.fromkeys(ders)]
    taken = tuple(der for der, why in judged if why is None)
    left_out = tuple((describe(der), why) for der, why in judged if why is not None)
    if not taken:
        reasons = [f"{certificate.common_name} {why}" for certificate, why in left_out]
        more = f"; and {len(reasons) - 3} more like these" if len(reasons) > 3 else ""
        raise CommandError(f"{visible(source)}: {'; '.join(reasons[:3])}{more}")
    return Chosen(taken, left_out)


def presented_chain(target: Target, host: str | None) -> tuple[bytes, ...]:
    """The chain that ARM, or `host`, presents now: leaf first. Raises CommandError."""
    from stacktui.certificates.survey import look_at
    from stacktui.check.trust import trust_of
    from stacktui.environments.endpoints import Endpoint, arm_endpoint

    endpoint = arm_endpoint(target.environment)
    if host is not None:
        name, port = _host_and_port(host)
        endpoint = Endpoint((name,), name, port, name, named=True)
    seen = asyncio.run(look_at(target.environment, trust_of(target), endpoint))
    if not seen.chain:
        detail = seen.fault.detail if seen.fault else "no certificate came"
        config = [] if target.config is None else ["--config", str(target.config)]
        check = command_line("stacktui check", [*config, "--", target.environment.name])
        raise RemoteError(
            f"{endpoint.key} presented no chain: {detail}; how far a request gets: "
            f"{of_this_box(check)}"
        )
    return seen.chain


def _host_and_port(text: str) -> tuple[str, int]:
    from stacktui.transport.host import is_host

    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname or "", parts.port or 443
    except ValueError:
        name, port = "", 443
    if not is_host(name) or parts.path or parts.query or parts.username is not None:
        raise click.BadParameter(f"{visible(text)!r} is not a host", param_hint="--host")
    return name, port


def presented_root(chain: Sequence[bytes], stores: Sequence[Store] = ()) -> bytes:
    """The root of a presented chain: presented too, else from a store of this box.

    Raises CommandError where there is none.
    """
    from stacktui.certificates.roots import missing, root_of

    found = root_of(chain, stores)
    if found is not None:
        if found.where is not None:
            tell(f"The host does not present its root; on this box it is in {found.where.path}")
        return found.der
    leaf = describe(chain[0])
    if leaf.self_issued:
        raise CommandError(
            f"the host presents {leaf.common_name}, which signed itself and is no CA: "
            "there is no root to trust"
        )
    raise CommandError(
        f"the host does not present the root {missing(chain)}, as is usual, and no store on this "
        "box has it: get it as a file from the stamp's operator, then: "
        "stacktui certificates trust FILE"
    )


def _remembered(fingerprint: str) -> Addition:
    memory = read_memory()
    for each in memory.additions:
        if each.sha256 == fingerprint:
            return each
    why = f" ({memory.trouble})" if memory.trouble else ""
    raise CommandError(
        f"no root with SHA-256 {fingerprint} was added to a bundle before{why}; name its file"
    )


def _introduce(change: Change, destination: Destination) -> None:
    """Who is to be trusted, and where: all that the question is about."""
    certificates = [describe(der) for der in change.added or change.present]
    now = datetime.now(UTC)
    for each in certificates:
        if len(certificates) > _IN_FULL:
            tell(f"  {each.sha256[-11:]}  until {when(each.not_after)}  {each.common_name[:48]}")
            continue
        first, second = rows(each.sha256)
        tell(each.common_name)
        tell(f"  subject  {each.subject}")
        tell(f"  SHA-256  {first}")
        tell(f"           {second}")
        tell(f"  valid    {when(each.not_before)} to {when(each.not_after)}")
        if not each.self_issued:
            tell(f"  !        an intermediate, no root: trust {each.issuer_name} too, as")
            tell("           most programs trust no chain that ends below a root")
        if each.not_before is not None and each.not_before > now:
            tell("  !        not valid yet, by the clock of this box")
    tell(f"goes into {destination.path}")
    if destination.new_ca:
        tell(f"which becomes ca of {', '.join(destination.environments)}")
    if len(destination.environments) > 1:
        tell(f"the ca of {', '.join(destination.environments)}")
    if destination.is_certifi:
        tell("! An upgrade of certifi writes this file anew: the addition is lost without a word.")
        tell("! What survives upgrades and needs no root rights: stacktui certificates export")


def _ask(change: Change, destination: Destination, source: Source, *, yes: bool) -> None:
    where = visible(str(destination.path))
    number = plural(len(change.added))
    if source.presented is not None:
        fingerprint = describe((change.added or change.present)[0]).sha256
        confirm_by_typing(
            "Nobody has vouched for it in this place yet. Compare its SHA-256 with what the\n"
            f"stamp's operator tells you, then type its last {_DIGITS} digits",
            fingerprint.replace(":", "")[-_DIGITS:],
            yes=yes,
        )
    elif change.changes and not destination.ours:
        confirm(f"Add {number} to {where}?", yes=yes)
    elif source.waagent:
        confirm(f"Trust {number} of {WAAGENT}?", yes=yes)


def _write(
    destination: Destination, change: Change, outcome: Outcome, undo: dict[str, str]
) -> None:
    path = visible(str(destination.path))
    if change.added:
        also = f" ({len(change.present)} were there already)" if change.present else ""
        say(f"Added {plural(len(change.added))} to {path}{also}")
    else:
        say(f"Nothing to do: it is in {path} already" if len(change.present) == 1 else
            f"Nothing to do: all {len(change.present)} are in {path} already")  # fmt: skip
    if destination.new_ca:
        say(f"Set ca of {visible(', '.join(destination.environments))}")
    if outcome.backup is not None:
        say(f"As it was before: {visible(str(outcome.backup))}")
    if change.added:
        say(f"To undo: {of_this_box(undo)}")
    if change.added and not destination.ours and os.environ.get("SUDO_USER"):
        tell(f"! Remembered in {additions_file()}:")
        tell("! only a check that reads it notices when an upgrade loses the addition.")
    if change.added and destination.ours:
        tell("az does not read this file; for az: stacktui certificates export")


def _document(
    destination: Destination,
    change: Change,
    chosen: Chosen,
    outcome: Outcome,
    undo: dict[str, str],
) -> dict[str, Any]:
    from stacktui.certificates.document import SCHEMA, certificate_document

    now = datetime.now(UTC)
    return {
        "schema": SCHEMA,
        "path": str(destination.path),
        "environments": list(destination.environments),
        "changed": change.changes or bool(destination.new_ca),
        "added": [certificate_document(describe(der), now) for der in change.added],
        "present": [certificate_document(describe(der), now) for der in change.present],
        "left_out": [
            {"certificate": certificate_document(each, now), "reason": why}
            for each, why in chosen.left_out
        ],
        "backup": None if outcome.backup is None else str(outcome.backup),
        "undo": undo,
        "trouble": outcome.trouble or None,
    }


def _plain_fingerprint(der: bytes) -> str:
    return describe(der).sha256.replace(":", "").lower()
