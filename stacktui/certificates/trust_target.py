"""The bundle that a root goes into: stacktui's own, an environment's `ca`, or another program's.

A change covers the bundle, the log of additions, and `ca` in the config.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from stacktui.certificates.additions import forget, remember
from stacktui.certificates.bundle import (
    BundleError,
    Change,
    additions_in,
    carry_out,
    holds_only_additions,
)
from stacktui.certificates.files import CertificateFileError, FileProblem, entries, read_content
from stacktui.config.edit import ENVIRONMENTS, set_in_table
from stacktui.config.locations import is_same_file, own_bundle
from stacktui.environments.model import Environment

# The folder beside the config for the bundles of environments that had no `ca`.
FOLDER = "ca"
_MAX_NAME = 60
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
# Device names on Windows, with any extension.
_RESERVED = re.compile(r"(?i)CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9]")


@dataclass(frozen=True, slots=True)
class TrustTarget:
    """A bundle to add to or to remove from; `ours` as in a `Change`, `name` for a list of them.

    For an environment's `ca`: the `config` that names it, the `environments` whose `ca` it is,
    and `new_ca`, the value that `ca` gets where the environment has none yet.
    """

    path: Path
    ours: bool = False
    config: Path | None = None
    environments: tuple[str, ...] = ()
    new_ca: str = ""
    name: str = ""

    @property
    def is_certifi(self) -> bool:
        """Whether this is the bundle of a certifi, which an upgrade replaces."""
        return self.path.name == "cacert.pem" and self.path.parent.name == "certifi"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an addition. `trouble` says in one line why a later loss may go unnoticed."""

    backup: Path | None = None
    trouble: str = ""


def own_bundle_target() -> TrustTarget:
    """Return stacktui's own bundle, which counts for every environment."""
    return TrustTarget(own_bundle(), ours=True, name="own bundle")


def ca_name(environment: str) -> str:
    """Return the name of an environment's `ca` in a list of bundles."""
    return f"ca of {environment}"


def ca_target(
    config: Path, environments: Mapping[str, Environment], name: str, ders: Collection[bytes] = ()
) -> TrustTarget:
    """Return the `ca` of an environment, or the file that becomes it once `ders` are added.

    Raises CertificateFileError if `ca` names a file that cannot be read.
    """
    ca, listed = environments[name].ca, ca_name(name)
    if ca is None:
        path = _free_path(config, environments, name, ders)
        new = path.relative_to(config.parent).as_posix()
        return TrustTarget(path, True, config, (name,), new, listed)
    names = tuple(
        each.name for each in environments.values() if each.ca and is_same_file(each.ca, ca)
    )
    ours = is_same_file(ca.parent, config.parent / FOLDER) and holds_only_additions(
        read_content(ca)
    )
    return TrustTarget(ca, ours, config, names, name=listed)


def add(target: TrustTarget, change: Change) -> Outcome:
    """Carry out a planned addition. Raises BundleError and ConfigError."""
    backup = carry_out(change)
    trouble = ""
    if not target.ours:
        # An earlier run may have been killed after it added a root and before it logged that.
        earlier = [der for der in change.present if der in additions_in(change.before or b"")]
        if remembered := [*change.added, *earlier]:
            trouble = remember(target.path, remembered)
    if target.new_ca and target.config is not None:
        # Last: `ca` must never name a file that does not exist.
        for name in target.environments:
            set_in_table(target.config, ENVIRONMENTS, name, {"ca": target.new_ca})
    return Outcome(backup, trouble)


def remove(target: TrustTarget, change: Change) -> str:
    """Carry out a planned removal. Returns the trouble, as in an Outcome.

    Raises BundleError and ConfigError.
    """
    if change.after is None and target.config is not None:
        for name in target.environments:  # first, for the same reason
            set_in_table(target.config, ENVIRONMENTS, name, {"ca": None})
    carry_out(change)
    if target.ours:
        return ""
    return forget(change.path, [sha256(der).hexdigest() for der in change.removed])


def _free_path(
    config: Path, environments: Mapping[str, Environment], name: str, ders: Collection[bytes]
) -> Path:
    """Return a path of ours that holds no other roots than `ders` and is not another `ca`."""
    taken = [each.ca for each in environments.values() if each.ca]
    stem = _file_name(name)
    for number in range(1, 1000):
        path = config.parent / FOLDER / (f"{stem}-{number}.pem" if number > 1 else f"{stem}.pem")
        if any(is_same_file(path, each) for each in taken):
            continue
        try:
            content = read_content(path)
        except CertificateFileError as error:
            if error.problem is FileProblem.MISSING and not path.is_symlink():
                return path
            continue
        # A run that was killed before it set `ca` leaves such a file.
        if holds_only_additions(content) and {each.der for each in entries(content)} <= set(ders):
            return path
    raise BundleError(f"{config.parent / FOLDER} is full of files for {name}")


def _file_name(environment: str) -> str:
    """Return a file name that every file system accepts, unique to the environment."""
    safe = environment[:_MAX_NAME]
    if safe == environment and _SAFE.fullmatch(safe) and not _RESERVED.fullmatch(safe):
        return safe
    safe = _UNSAFE.sub("-", safe)
    told_apart = sha256(environment.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe.strip('-')}-{told_apart}".lstrip("-")
