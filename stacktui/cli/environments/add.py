"""`stacktui environments add`: register an environment by its URL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from stacktui.certificates.ca_file import CaFile, read_ca_file, write_converted
from stacktui.check.pinning import AcceptError
from stacktui.check.profile_detection import DetectedProfile
from stacktui.check.registration import (
    Discovery,
    answers,
    discover,
    forgotten_service,
    is_untrusted,
    planned,
    record_found,
    register,
    same_endpoint,
    set_tenant,
)
from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget
from stacktui.cli.ask import CommandError, RemoteError, ask, confirm, yes_option
from stacktui.cli.environments.cloud_output import cloud_document, out_cloud
from stacktui.cli.environments.detected_output import (
    detected_document,
    err_detected,
    find_profile,
)
from stacktui.cli.layout import err_wrapped
from stacktui.cli.name_completion import identity_names
from stacktui.cli.options import (
    ArmRequest,
    ConfigSource,
    ExitCode,
    examples,
    format_option,
    talks_to_stamp,
)
from stacktui.cli.output import err, out, warn
from stacktui.cli.settings import absolute, read_settings, require_writable
from stacktui.config.document import nearest
from stacktui.environments.model import OVERRIDES
from stacktui.environments.naming import is_operator_endpoint
from stacktui.environments.pasted_url import propose_name, read_pasted_url
from stacktui.environments.profiles import DEFAULT_PROFILE, DETECT, PROFILES, default_profile
from stacktui.text.shell import command_line, for_this_machine

SCHEMA = 1


def _pairs(
    _context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Return `KEY=VALUE` options as a mapping. Raises CommandError for what is no such pair."""
    pairs = [text.partition("=")[::2] for text in given if "=" in text]
    if len(pairs) != len(given):
        raise CommandError(f"--{option.name} is {option.metavar}")
    return dict(pairs)


@click.command(
    epilog=examples(
        "stacktui environments add management.west.contoso.example --name West",
        "stacktui environments add local --identity ops --ca root.pem --both",
    )
)
@click.argument("url", metavar="URL")
@click.option("--name", help="The environment's name (default: proposed from the URL).")
@click.option(
    "--identity", metavar="NAME", shell_complete=identity_names, help="An identity of the config."
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Trust the private root in FILE (PEM, .cer or .p7b) for this environment.",
)
@click.option(
    "--profile",
    type=click.Choice([*PROFILES, DETECT]),
    metavar="PROFILE",
    help=f"The API version profile: {', '.join(PROFILES)}; {DETECT} asks the stamp, with the "
    "identity.",
)
@click.option(
    "--endpoint",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_pairs,
    help=f"Replace what the metadata says; repeatable. KEY: {', '.join(OVERRIDES)}.",
)
@click.option("--proxy", metavar="URL", help="A proxy, or `none` for a direct connection.")
@click.option(
    "--resolve",
    metavar="HOST:PORT=ADDRESS:PORT",
    multiple=True,
    callback=_pairs,
    help="Connect to this address instead, as on a machine without DNS; repeatable.",
)
@click.option("--both", is_flag=True, help="Add the operators' endpoint too, or the users'.")
@yes_option
@format_option
@talks_to_stamp
def command(
    source: ConfigSource,
    /,
    url: str,
    name: str | None,
    ca: Path | None,
    both: bool,
    yes: bool,
    format_: str,
    **chosen: Any,
) -> None:
    """Register the environment at URL: what a browser or a document shows of it is enough.

    URL is https://management.<region>.<fqdn>, its host, the metadata's URL, a portal's, or `local`
    for a development kit. Asks the stamp, without signing in, and shows every value with its
    origin: the metadata, the naming rule, or you. Then adds the environment and records what was
    found, for later checks to compare. --yes accepts neither a root that is not trusted here nor a
    stamp that is not as it was recorded. Exits with 1 if the stamp does not answer.
    """
    require_writable(source)
    try:
        pasted = read_pasted_url(url)
    except ValueError as error:
        raise CommandError(f"the URL {error}") from None
    changes = list(pasted.changes)
    if changes:
        err_wrapped(f"read as {pasted.arm}: {'; '.join(changes)}")
    settings = read_settings(source, name)
    _require_known(chosen["endpoint"])
    with TemporaryDirectory(prefix="stacktui-") as folder:
        adding = _Adding(settings, source.limits, chosen, _read_ca(ca), Path(folder), yes)
        found = adding.find(name, pasted.arm)
        if found.target.environment.arm != pasted.arm:
            changes.append(f"management. was put before {pasted.arm.partition('://')[2]}")
        if format_ == "text":
            _write(found)
        adding.agree(found, "Sign in and add" if adding.signs_in else "Add")
        detected = adding.detect(found, ArmRequest(source, None, None, format_))
        if adding.signs_in and detected is None:
            click.get_current_context().exit(ExitCode.FAULT)
        adding.save(found, detected)
        added = [found]
        try:
            if found.sibling and adding.wants_sibling(found, both=both):
                other = adding.of_sibling(read_settings(source), found)
                of_other = other.find(None, found.sibling)
                if format_ == "text":
                    _write(of_other)
                other.agree(of_other, "Also add", detected)
                other.save(of_other, detected)
                added.append(of_other)
        finally:  # the first is saved, whatever becomes of the other
            if format_ == "json":
                click.echo(json.dumps(_document(added, changes, detected)))


@dataclass(frozen=True, slots=True)
class _Adding:
    """What is the same for an environment and for the other endpoint of its stamp."""

    settings: Settings
    limits: Mapping[str, float]
    chosen: dict[str, Any]
    ca: CaFile | None
    folder: Path
    yes: bool
    otherwise: str = "nothing was added"  # the outcome where it fails or the answer is no

    @property
    def signs_in(self) -> bool:
        """Whether the profile is to be found out, with the identity."""
        return bool(self.chosen["profile"] == DETECT)

    def of_sibling(self, settings: Settings, found: Discovery) -> _Adding:
        """Return the same for the other endpoint, once what was found is saved."""
        if self.chosen["endpoint"]:
            err_wrapped(f"the values of --endpoint are not set for {found.sibling}")
        return replace(
            self,
            settings=settings,
            chosen={**self.chosen, "endpoint": {}},
            otherwise=f"only {found.target.environment.name} was added",
        )

    def find(self, name: str | None, arm: str) -> Discovery:
        """Return what the stamp says. Raises ConfigError, CommandError and RemoteError."""
        target = self._target(name, arm)
        try:
            return asyncio.run(discover(target))
        except AcceptError as error:
            meant = forgotten_service(arm, error)
            if meant and asyncio.run(answers(target, meant)):
                err(f"{arm}: {error}; but {meant} answers")
                if self.yes and self.signs_in:
                    raise RemoteError(
                        f"{self.otherwise}: --yes signs in to no host that was not named: give "
                        f"{meant} if you mean that"
                    ) from None
                if self.yes or ask("Is that what you mean?"):
                    return self.find(name, meant)
            raise RemoteError(f"{self.otherwise}: {_explained(error, arm)}") from None

    def _target(self, name: str | None, arm: str) -> CheckTarget:
        settings = self.settings
        name = name or propose_name(arm, settings.names)
        for other in same_endpoint(settings, arm):
            err(f"{other} has the same URL: {name} will be a second name of it")
        target = planned(settings, name, self.values(arm), self.limits)
        if self.signs_in and target.identity is None:
            raise CommandError("--profile detect signs in: add --identity NAME")
        if self.ca is None or not self.ca.converted:
            return target
        pem = self.folder / "ca.pem"
        write_converted(self.ca, pem)
        return replace(target, environment=replace(target.environment, ca=pem))

    def values(self, arm: str, detected: DetectedProfile | None = None) -> dict[str, Any]:
        """Return the values of the environment's table."""
        chosen = self.chosen
        profile = detected.profile if detected else chosen["profile"]
        if profile in (None, DETECT):
            profile = default_profile(arm)
        return {
            "arm": arm,
            "profile": profile if profile != DEFAULT_PROFILE else None,
            "identity": chosen["identity"],
            "ca": str(self.ca.path) if self.ca else None,
            "proxy": chosen["proxy"],
            "resolve": chosen["resolve"] or None,
            "endpoints": chosen["endpoint"] or None,
        }

    def detect(self, found: Discovery, request: ArmRequest) -> DetectedProfile | None:
        if not self.signs_in:
            return None
        detected = find_profile(found.signing_in, request, saved=False)
        if detected is not None:
            err_detected(detected)
            err(f"profile {detected.profile}")
        return detected

    def agree(self, found: Discovery, verb: str, detected: DetectedProfile | None = None) -> None:
        """Show what was found, and ask. Raises CommandError where the answer is no."""
        name, arm = found.target.environment.name, found.target.environment.arm
        planned_profile = self.chosen["profile"] or found.target.environment.profile
        err(f"profile {detected.profile if detected else planned_profile}")
        for what, older, newer in found.diff.disagreements:
            err_wrapped(f"! the metadata's two shapes disagree on {what}: {older} (used), {newer}")
        for what, before, now in found.changes:
            err_wrapped(f"! {what} was recorded as {before}, and is now {now}")
        if found.changes and self.yes:
            raise RemoteError(
                f"{self.otherwise}: {arm} is not as it was recorded as {name}, which --yes does "
                "not accept: run this without --yes, or choose another name"
            )
        question = f"{verb} {name} to {self.settings.path}?"
        confirm(question, yes=self.yes, otherwise=self.otherwise)

    def save(self, found: Discovery, detected: DetectedProfile | None) -> None:
        name, arm = found.target.environment.name, found.target.environment.arm
        register(self.settings.path, name, self.values(arm, detected), ca=self.ca)
        if trouble := record_found(found):
            warn(f"{name} is added, but not recorded: {trouble}")
        err(f"{name}: added")
        self._offer_tenant(found)

    def _offer_tenant(self, found: Discovery) -> None:
        tenant, identity = found.missing_tenant, found.target.identity
        if not tenant or identity is None:
            return
        err(f"{identity.name} has no tenant; the stamp's is {tenant}")
        if self.yes or ask(f"Set tenant of {identity.name} to {tenant}?"):
            set_tenant(self.settings.path, found)
            err(f"{identity.name}: tenant = {tenant}")

    def wants_sibling(self, found: Discovery, *, both: bool) -> bool:
        """Return whether to add the other endpoint of the stamp too, after asking where --yes or
        --both does not say."""
        arm = found.sibling
        if known := same_endpoint(self.settings, arm):
            err(f"its other endpoint is {', '.join(known)} already")
            return False
        whose = "operators'" if is_operator_endpoint(arm) else "users'"
        hint = "" if both else "; --both adds it with this one"
        err_wrapped(f"the {whose} endpoint {arm} answers too{hint}")
        if not both and self.yes:  # a script that names one gets one
            return False
        return both or ask("Go on with it?")


def _read_ca(path: Path | None) -> CaFile | None:
    return read_ca_file(absolute(path)) if path is not None else None


def _require_known(endpoints: Sequence[str]) -> None:
    for key in endpoints:
        if key not in OVERRIDES:
            meant = nearest(key, OVERRIDES)
            hint = f"did you mean {meant}?" if meant else f"known: {', '.join(OVERRIDES)}"
            raise CommandError(f"--endpoint {key} is not known; {hint}")


def _explained(error: AcceptError, arm: str) -> str:
    if not is_untrusted(error):
        return str(error)
    look = command_line("stacktui certificates trust --presented", (arm,))
    return (
        f"{error}. If its root is private, give it: --ca FILE. To look at what it presents, and "
        f"trust that: {for_this_machine(look)}"
    )


def _write(found: Discovery) -> None:
    out(found.target.environment.name)
    out_cloud(found.cloud)


def _document(
    added: Sequence[Discovery], changes: Sequence[str], detected: DetectedProfile | None
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "changes": list(changes),
        "detected": detected_document(detected) if detected else None,
        "environments": [
            {
                "name": each.target.environment.name,
                "profile": detected.profile if detected else each.target.environment.profile,
                "identity": each.target.environment.identity,
                **cloud_document(each.cloud),
                "disagreements": [
                    {"field": what, "older": older, "newer": newer}
                    for what, older, newer in each.diff.disagreements
                ],
                "sibling": each.sibling or None,
            }
            for each in added
        ],
    }
