"""The `az` on this machine: its version, and the problems in its own files.

Everything is read from files of bounded size, without starting a process or using the network.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from stacktui.azure_cli import ini_files
from stacktui.azure_cli.http_cache import kept_errors
from stacktui.azure_cli.ini_files import AzCloud, BrokenFile, Flaw, Parsed
from stacktui.azure_cli.installations import find_azure_clis, is_of_known_form
from stacktui.azure_cli.kept_files import broken_kept_files
from stacktui.azure_cli.launchers import on_path
from stacktui.azure_cli.settings import (
    broken_options,
    encrypts_tokens,
    is_on,
    keyring_option,
    option_of,
    variable_of,
)
from stacktui.azure_cli.writable import unwritable
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded

if TYPE_CHECKING:
    from stacktui.azure_cli.http_cache import KeptError

# MSAL keeps 1024 answers at most. The largest, a login host's configuration, has about 2 KiB.
_MAX_CACHE_SIZE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class AzInstallation:
    """One `az`. `version` is empty where its files do not say it.

    `python`, `urllib3` and `interpreter` are as in `AzureCli`, and `ca_bundle` is the file of roots
    of its own certifi, None if unknown.
    """

    launcher: Path
    version: str
    python: str = field(default="", compare=False)
    urllib3: str = field(default="", compare=False)
    ca_bundle: Path | None = field(default=None, compare=False)
    interpreter: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AzFacts:
    """The facts of `az`; text is sanitised.

    `installations` are those of a known form, in the order of PATH, and `unknown` the launchers of
    others; `runs` is the one that a shell would run, None if unknown. `folder` holds az's files:
    `broken` are those that it cannot use, `clouds` the registered clouds, `active` the name of the
    one in use (may be empty), `unregistered` says that `clouds.config` has no such cloud, and
    `by_variable` that AZURE_CLOUD_NAME names it; `kept` are the cached error responses.
    `instance_discovery` says whether az asks Microsoft about unknown login hosts. `keyring` is the
    option that has it encrypt its tokens, which az cannot without PyGObject; None if it is off.
    `unverified` are the variables that disable verification, with their values.
    """

    folder: Path
    installations: tuple[AzInstallation, ...] = ()
    runs: AzInstallation | None = None
    broken: tuple[BrokenFile, ...] = ()
    clouds: tuple[AzCloud, ...] = ()
    active: str = ""
    kept: tuple[KeptError, ...] = ()
    unverified: tuple[tuple[str, str], ...] = ()
    unregistered: bool = False
    unknown: tuple[Path, ...] = ()
    by_variable: bool = False
    instance_discovery: bool = True
    keyring: BrokenFile | None = None

    @property
    def launchers(self) -> tuple[Path, ...]:
        """Each az on this machine, those of a known form first."""
        return (*(each.launcher for each in self.installations), *self.unknown)


def read_facts(
    launchers: Sequence[Path], unverified: tuple[tuple[str, str], ...], profiles: Collection[str]
) -> AzFacts:
    """Return the facts of the `az` of these launchers, if any; `profiles` are those it knows.

    Blocks on disk; never raises.
    """
    folder = ini_files.azure_folder()
    if not launchers:
        return AzFacts(folder, unverified=unverified)
    found, unknown = _installations(tuple((each, _changed(each)) for each in launchers))
    config, of_config = _read_ini(folder / "config")
    clouds, of_clouds = _read_ini(folder / "clouds.config", removable=True)
    if of_clouds is None and (flaw := ini_files.flaw_of_values(clouds, profiles)) is not None:
        of_clouds = BrokenFile(folder / "clouds.config", *flaw)
    active = option_of(config, "cloud", "name")
    kept_files = tuple(broken_kept_files(folder, encrypted=encrypts_tokens(config)))
    unreadable = {each.path for each in kept_files}
    unwritten = tuple(each for each in unwritable(folder) if each.path not in unreadable)
    # Of a clouds.config that az can neither read nor write, the latter is what fails.
    of_ini = (
        each for each in (of_config, of_clouds)
        if each is not None and each.path not in {other.path for other in unwritten}
    )  # fmt: skip
    keeps_errors = is_on(config, "core", "use_msal_http_cache", default=True)
    return AzFacts(
        folder,
        found,
        _run_by_shell(found),
        (
            *of_ini,
            *broken_options(config, folder / "config"),
            *kept_files,
            *unwritten,
        ),
        ini_files.clouds(clouds),
        active,
        _kept(folder / "msal_http_cache.bin") if keeps_errors else (),
        unverified,
        bool(active) and of_clouds is None and not _may_have(clouds, active, folder),
        unknown,
        bool(os.environ.get(variable_of("cloud", "name"))),
        is_on(config, "core", "instance_discovery", default=True),
        keyring_option(config, folder / "config"),
    )


def _may_have(clouds: Parsed, name: str, folder: Path) -> bool:
    """Return whether `clouds.config` has a cloud of this name, or nobody read it."""
    if clouds.lines:
        return ini_files.has_section(clouds, name)
    try:
        return (folder / "clouds.config").stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError:
        return True


@lru_cache(maxsize=4)
def _installations(
    launchers: tuple[tuple[Path, int], ...],
) -> tuple[tuple[AzInstallation, ...], tuple[Path, ...]]:
    """Return the installations, and the launchers of no known form.

    Cached per process until a launcher's mtime changes.
    """
    found = find_azure_clis((str(launcher) for launcher, _ in launchers), ask=False)
    known = {each.launcher for each in found}
    # Several launchers of one installation are listed once.
    others = (launcher for launcher, _ in launchers if launcher not in known)
    unknown = tuple(each for each in others if not is_of_known_form(each))
    installations = (
        AzInstallation(
            each.launcher, each.version, each.python, each.urllib3, each.cacert, each.interpreter
        )
        for each in found
    )
    return tuple(installations), unknown


def _changed(launcher: Path) -> int:
    try:
        return os.stat(launcher).st_mtime_ns
    except OSError:
        return 0


def _run_by_shell(found: tuple[AzInstallation, ...]) -> AzInstallation | None:
    first = on_path()[:1]
    if not first:  # a full path starts it, or an alias
        return found[0] if len(found) == 1 else None
    return next((each for each in found if each.launcher in first), None)


def _read_ini(path: Path, *, removable: bool = False) -> tuple[Parsed, BrokenFile | None]:
    """`removable` is the file that az removes, if it does not begin with a section."""
    try:
        found = ini_files.parsed(read_bounded(path, ini_files.MAX_SIZE))
    except FileReadError as error:
        if error.problem is not ReadProblem.UNREADABLE:
            return Parsed(), None  # missing, or too large
        return Parsed(), BrokenFile(path, Flaw.UNREADABLE, error.detail)
    if found.flaw is None:
        return found, None
    removed = removable and found.flaw in (Flaw.NO_SECTION, Flaw.BYTE_ORDER_MARK)
    return found, BrokenFile(path, found.flaw, found.detail, removed)


def _kept(path: Path) -> tuple[KeptError, ...]:
    try:
        content = read_bounded(path, _MAX_CACHE_SIZE)
    except FileReadError:
        return ()
    if b"POST " not in content:  # the usual case: no error is cached
        return ()
    return kept_errors(content)
