"""`stacktui certificates lint`: check certificate files before they are deployed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from stacktui.certificates.chain import Certificate, describe
from stacktui.certificates.crl import fetched_crl
from stacktui.certificates.document import SCHEMA, certificate_document, results_document
from stacktui.certificates.errors import CertificateError
from stacktui.certificates.file_rules import REPACK
from stacktui.certificates.key_bundle import Form, KeyBundle, PasswordError, read_key_bundle
from stacktui.certificates.levels import Level, worst_level
from stacktui.certificates.readiness import RuleResult, Source, covered, worst
from stacktui.certificates.readiness_rules import evaluate
from stacktui.cli.certificates.passwords import Password, password_options
from stacktui.cli.layout import out_wrapped
from stacktui.cli.options import (
    ConfigSource,
    ExitCode,
    examples,
    format_option,
    reads_config,
    warn_config_unused,
)
from stacktui.cli.output import out
from stacktui.environments.naming import certificate_names
from stacktui.text.counts import count_of
from stacktui.text.shell import command_line, for_this_machine

_SYMBOLS = {
    Level.FAIL: "✗",
    Level.CRITICAL: "!",
    Level.WARNING: "!",
    Level.SKIPPED: "–",
    Level.PASS: "✓",
}
_TROUBLE = (Level.FAIL, Level.CRITICAL, Level.WARNING)


@dataclass(frozen=True, slots=True)
class _Linted:
    """One file that could be read, and the results of the rules."""

    path: Path
    form: Form
    leaf: Certificate
    results: tuple[RuleResult, ...]

    @property
    def level(self) -> Level:
        return worst(self.results)


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a stamp, which all files must cover together."""

    domain: str
    wanted: tuple[str, ...]

    def missing(self, files: Sequence[_Linted]) -> tuple[str, ...]:
        own = [name for each in files for name in each.leaf.names]
        found = covered(self.wanted, own)
        return tuple(name for name in self.wanted if name not in found)


@click.command(
    epilog=examples("stacktui certificates lint *.pfx --region east --fqdn contoso.example")
)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--region", metavar="R", help="The stamp's region; all its names must be covered.")
@click.option("--fqdn", metavar="F", help="The stamp's external domain name, without the region.")
@click.option("--adfs", is_flag=True, help="The stamp signs in with AD FS (two more names).")
@click.option("--fetch-crl", is_flag=True, help="Also fetch the CRL that each FILE names.")
@password_options("password", "the password of the files")
@format_option
@reads_config
def command(
    source: ConfigSource,
    files: tuple[Path, ...],
    region: str | None,
    fqdn: str | None,
    adfs: bool,
    fetch_crl: bool,
    password_env: str | None,
    password_file: Path | None,
    format_: str,
) -> None:
    """Check PFX, PEM and DER files against the vendor's readiness rules before deployment.

    With --region and --fqdn, all FILEs together must cover every name of the stamp. A password is
    prompted for, or comes from a variable or a file, never from an argument. Exits with 0 also on
    warnings and criticals, with 1 if a rule fails, and with 2 if a file cannot be read.
    """
    warn_config_unused(source.given)
    names = _names_of(region, fqdn, adfs)
    reader = _Reader(Password("password", password_env, password_file))
    now = datetime.now(UTC)
    linted: list[_Linted] = []
    errors: list[tuple[Path, str]] = []
    for path in files:
        try:
            bundle = reader.read(path)
            found = _lint(path, bundle, names, now)
            linted.append(_with_fetched_crl(found) if fetch_crl else found)
        except CertificateError as error:
            errors.append((path, str(error)))
            click.echo(f"stacktui: {error}", err=True)
    if linted and format_ == "json":
        click.echo(json.dumps(_lint_document(linted, errors, names, now)))
    elif linted:
        _write_linted(linted, len(errors), names)
    failed = _set_level(linted, names) is Level.FAIL
    code = ExitCode.FAULT if failed else ExitCode.HEALTHY
    click.get_current_context().exit(ExitCode.USAGE if errors else code)


def _with_fetched_crl(linted: _Linted) -> _Linted:
    """Return the results with the CRL fetched, as the vendor's checker does where it can."""
    results = []
    for each in linted.results:
        if each.rule == "http-crl" and each.level is Level.PASS:
            why = asyncio.run(fetched_crl(each.text))
            if why:
                remedy = "let the stamp reach it, or have the CA publish it there"
                each = replace(each, level=Level.FAIL, text=f"{each.text}: {why}", remedy=remedy)
        results.append(each)
    return replace(linted, results=tuple(results))


def _names_of(region: str | None, fqdn: str | None, adfs: bool) -> _Names | None:
    if region is None and fqdn is None:
        if adfs:
            raise click.UsageError("--adfs needs --region and --fqdn.")
        return None
    domain = ".".join((each or "").strip(". ").lower() for each in (region, fqdn))
    if region is None or fqdn is None or not all(domain.split(".")):
        raise click.UsageError("--region and --fqdn go together, as in: --region east "
                               "--fqdn contoso.example")  # fmt: skip
    return _Names(domain, certificate_names(domain, adfs=adfs))


class _Reader:
    """Reads files; asks for the password once and tries it on each, as it is usually the same."""

    def __init__(self, password: Password) -> None:
        self._password = password
        self._known: str | None = None

    def read(self, path: Path) -> KeyBundle:
        if self._known is None or self._password.is_given:
            return read_key_bundle(path, lambda form: self._get(path, form))
        try:
            return read_key_bundle(path, lambda _form: self._known)
        except PasswordError:
            return read_key_bundle(path, lambda form: self._get(path, form))

    def _get(self, path: Path, form: Form) -> str | None:
        if form is Form.PEM:
            # The certificates can be checked without it: only the rule about the key is skipped.
            return self._password.given()
        self._known = self._password.get(f"Password of {path!s}")
        return self._known


def _lint(path: Path, bundle: KeyBundle, names: _Names | None, now: datetime) -> _Linted:
    results = evaluate(
        bundle.chain,
        now,
        names=names.wanted if names else None,
        domain=names.domain if names else None,
        source=Source.PFX if bundle.form is Form.PFX else Source.FILE,
        leaf=bundle.leaf,
        key=bundle.key_found,
        pfx=bundle.pfx,
    )
    results = tuple(_finished(path, each) for each in results)
    return _Linted(path, bundle.form, describe(bundle.chain[bundle.leaf]), results)


def _finished(path: Path, result: RuleResult) -> RuleResult:
    """Return the result with the file's name in the command of its remedy."""
    if result.remedy != REPACK:
        return result
    words = [str(path), str(path.with_name(f"{path.stem}-new.pfx"))]
    command = for_this_machine(command_line("stacktui certificates convert", words))
    return replace(result, remedy=f"pack it again: {command}")


def _set_level(linted: Sequence[_Linted], names: _Names | None) -> Level:
    levels = [each.level for each in linted]
    if names is not None:
        levels.append(Level.FAIL if names.missing(linted) else Level.PASS)
    return worst_level(levels)


def _lint_document(
    linted: Sequence[_Linted],
    errors: Sequence[tuple[Path, str]],
    names: _Names | None,
    now: datetime,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "level": _set_level(linted, names).value,
        "files": [
            {
                "path": str(each.path),
                "form": each.form.value,
                "level": each.level.value,
                "certificate": certificate_document(each.leaf, now),
                "judgements": results_document(each.results),
            }
            for each in linted
        ],
        "errors": [{"path": str(path), "text": text} for path, text in errors],
        "names": None,
    }
    if names is not None:
        missing = names.missing(linted)
        document["names"] = {
            "domain": names.domain,
            "level": (Level.FAIL if missing else Level.PASS).value,
            "covered": [name for name in names.wanted if name not in missing],
            "missing": list(missing),
        }
    return document


def _write_linted(linted: Sequence[_Linted], unread: int, names: _Names | None) -> None:
    for each in linted:
        _write_file(each)
    missing = names.missing(linted) if names is not None else ()
    if names is not None:
        _write_names(names, missing)
    failing = sum(each.level is Level.FAIL for each in linted)
    level = _set_level(linted, names)
    of = f"{failing} of {len(linted)} files" if len(linted) > 1 else "the file"
    counts = [f"{of} would be rejected"] if failing else []
    counts += [f"{count_of(len(missing), 'name')} missing"] if missing else []
    counts = counts or [f"{count_of(len(linted), 'file')} judged, none would be rejected"]
    counts += [f"{unread} not read (see above)"] if unread else []
    out_wrapped(f"{_SYMBOLS[level]} {level.value.upper()}: {', '.join(counts)}")
    if names is None:
        out_wrapped("  To check that a stamp's names are covered, add --region and --fqdn.")


def _write_file(linted: _Linted) -> None:
    leaf = linted.leaf
    out(f"{_SYMBOLS[linted.level]} {linted.level.value.upper()}  {linted.path!s}")
    out_wrapped(f"  “{leaf.common_name}”, issued by “{leaf.issuer_name}”")
    for level in _TROUBLE:
        for each in (each for each in linted.results if each.level is level):
            out_wrapped(f"  {_SYMBOLS[level]} {level.value}  {each.rule}: {each.text}")
            out_wrapped(f"    → {each.remedy}", hang=6)
    for each in linted.results:
        if each.level is Level.SKIPPED:
            out_wrapped(f"  {_SYMBOLS[Level.SKIPPED]} skipped  {each.rule}: {each.text}")
    passed = [each.rule for each in linted.results if each.level is Level.PASS]
    if passed:
        out_wrapped(f"  {_SYMBOLS[Level.PASS]} pass  {', '.join(passed)}")
    out()


def _write_names(names: _Names, missing: Sequence[str]) -> None:
    if not missing:
        out_wrapped(f"✓ NAMES  all {len(names.wanted)} names of {names.domain} are covered")
    else:
        found = len(names.wanted) - len(missing)
        out_wrapped(f"✗ NAMES  {found} of the {len(names.wanted)} names of {names.domain} "
             "are covered; missing:")  # fmt: skip
        for name in missing:
            out(f"    {name}")
    out()
