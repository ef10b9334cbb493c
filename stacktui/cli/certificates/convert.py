"""`stacktui certificates convert`: a certificate with its key, PFX to PEM, back, or packed anew."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click
import tomlkit

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.conversion import pem_of, pfx_of, thumbprints, write_private
from stacktui.certificates.document import SCHEMA, certificate_document
from stacktui.certificates.key_bundle import (
    Form,
    KeyBundle,
    KeyBundleError,
    own_chain,
    read_key_bundle,
)
from stacktui.cli.ask import CommandError, confirm, yes_option
from stacktui.cli.certificates.passwords import Password, password_options
from stacktui.cli.layout import out_wrapped
from stacktui.cli.options import (
    ConfigSource,
    examples,
    format_option,
    reads_config,
    warn_config_unused,
)
from stacktui.cli.output import out
from stacktui.cli.settings import require_writable
from stacktui.config.atomic import refuse_dangling_link
from stacktui.text.counts import count_of, time_span
from stacktui.text.sanitize import escape_control_chars


@click.command(epilog=examples("stacktui certificates convert sp.pfx sp.pem"))
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@password_options("password", "the password of the PFX")
@password_options("key-password", "the password of an encrypted key in a PEM file")
@yes_option
@format_option
@reads_config
def command(
    config: ConfigSource,
    source: Path,
    target: Path,
    password_env: str | None,
    password_file: Path | None,
    key_password_env: str | None,
    key_password_file: Path | None,
    yes: bool,
    format_: str,
) -> None:
    """Convert a certificate with its key: a PFX to PEM, PEM to a PFX, or a PFX packed anew.

    The name of OUT decides (.pfx and .p12, .pem and .crt), else it is the other form than IN. A PFX
    is packed as the vendor's readiness checker wants it: TripleDES-SHA1, for the machine store, the
    chain in order. OUT holds the certificate, its chain and its private
    key, and only its owner can read it. The key in a PEM file is not encrypted, as signing in
    requires. Passwords are prompted for, or come from a variable or a file, never from an argument.
    """
    require_writable(config)
    warn_config_unused(config.given)
    password = Password("password", password_env, password_file)
    key_password = Password("key-password", key_password_env, key_password_file)
    _check_target(source, target)

    asked: list[str] = []

    def ask(form: Form) -> str:
        if form is Form.PFX:
            asked.append(password.get(f"Password of {source!s}"))
            return asked[0]
        return key_password.get(f"Password of the key in {source!s}")

    bundle = read_key_bundle(source, ask)
    try:
        pem = pem_of(bundle)
    except KeyBundleError as error:
        raise KeyBundleError(f"{source}: {error}") from None
    if target.exists():
        confirm(f"{target!s} exists. Replace it?", yes=yes)
    form = _form_of(target, bundle)
    if form is Form.PEM:
        write_private(target, pem)
    else:
        # A PFX that is packed anew keeps its password.
        new = asked[0] if asked else password.get(f"Password for {target!s}", twice=True)
        write_private(target, pfx_of(bundle, new))
    _report_converted(target, bundle, form, format_)


def _form_of(target: Path, bundle: KeyBundle) -> Form:
    if target.suffix.lower() in (".pfx", ".p12"):
        return Form.PFX
    if target.suffix.lower() in (".pem", ".crt", ".cer"):
        return Form.PEM
    return Form.PEM if bundle.form is Form.PFX else Form.PFX


def _check_target(source: Path, target: Path) -> None:
    """Refuse a target that cannot be written, before a password is asked for."""
    shown = escape_control_chars(str(target))
    if str(target) == "-":
        raise CommandError("a private key is not written to stdout: name a file as OUT")
    try:
        refuse_dangling_link(target)
        if target.exists() and not target.is_file():
            raise CommandError(f"{shown} is not a regular file; nothing was written")
        if target.exists() and source.exists() and target.samefile(source):
            raise CommandError(f"{shown} is IN and OUT; nothing was written")
        if not target.parent.is_dir():
            raise CommandError(f"{shown} cannot be written: its folder is not there")
    except OSError as error:
        raise CommandError(f"{shown} cannot be written: {error.strerror}") from None
    except ValueError:
        raise CommandError(f"{shown} cannot be a file's name") from None


def _report_converted(target: Path, bundle: KeyBundle, form: Form, format_: str) -> None:
    now = datetime.now(UTC)
    der = bundle.chain[bundle.leaf]
    leaf, prints = describe(der), thumbprints(der)
    issuers = len(own_chain(bundle)) - 1
    left_out = len(bundle.chain) - 1 - issuers
    pem = form is Form.PEM
    line = _config_line(target) if pem and leaf.key_type == "RSA" else None
    if format_ == "json":
        document = {
            "schema": SCHEMA,
            "written": str(target),
            "form": form.value,
            "issuers": issuers,
            "left_out": left_out,
            "certificate": certificate_document(leaf, now),
            "thumbprint": prints.sha1,
            "x5t": prints.x5t,
            "x5t_s256": prints.x5t_s256,
            "config": line,
        }
        click.echo(json.dumps(document))
        return
    chain = f", {count_of(issuers, 'CA certificate')}" if issuers else ""
    out(f"✓ {target!s} written: the certificate{chain} and its key, mode 0600")
    if left_out:
        out(f"! {count_of(left_out, 'certificate')} left out: not part of its chain")
    out()
    for label, value in (
        ("subject", leaf.subject),
        ("valid", _validity(leaf, now)),
        ("thumbprint", f"{prints.sha1}  (SHA-1)"),
        ("SHA-256", prints.sha256),
        ("x5t", prints.x5t),
        ("x5t#S256", prints.x5t_s256),
    ):
        out_wrapped(f"  {label:<12}{value}", hang=14)
    out("  Entra and AD FS show the thumbprint; sign-ins carry x5t or x5t#S256.")
    if line is not None:
        out()
        out("To sign in with it, in the config, under [identities.NAME]:")
        out(f"  {line}")
    elif leaf.key_type != "RSA":
        out()
        out(f"! The key is {leaf.key}: Entra and AD FS sign in with RSA only.")


def _validity(leaf: Certificate, now: datetime) -> str:
    left = leaf.time_left(now)
    if left is None:
        return "unknown"
    days = f"{time_span(left)} left" if left.days >= 0 else "expired"
    return f"{leaf.not_before:%Y-%m-%d} to {leaf.not_after:%Y-%m-%d}, {days}"


def _config_line(target: Path) -> str:
    return escape_control_chars(
        f"certificate = {tomlkit.item(os.path.abspath(target)).as_string()}"
    )
