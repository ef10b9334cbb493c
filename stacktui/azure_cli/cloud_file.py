"""Read and change what `az` knows of clouds: `clouds.config`, and which of them is active.

The sections hold nothing secret. az itself locks nothing, so a change waits only for others of
stacktui's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from stacktui.azure_cli.ini_edit import with_values
from stacktui.azure_cli.ini_files import (
    ENCODING,
    MAX_SIZE,
    Flaw,
    Parsed,
    azure_folder,
    flaw_of_values,
    parsed,
)
from stacktui.azure_cli.presence import BUILT_IN_CLOUDS
from stacktui.config.atomic import exclusive, write_atomically
from stacktui.config.backup import back_up
from stacktui.config.bounded_read import FileReadError, ReadProblem, read_bounded
from stacktui.config.read_only import refuse_if_read_only
from stacktui.errors import StacktuiError, is_exhaustion

# The modes that az gives them.
_CLOUDS_MODE, _CONFIG_MODE = 0o644, 0o600
_MENDED_BY = {
    Flaw.BYTE_ORDER_MARK: "save it without a byte-order mark",
    Flaw.UTF_16: f"save it as {ENCODING.upper()}",
    Flaw.ENCODING: f"save it as {ENCODING.upper()}",
}

# A file's bytes, None where there is no file, and what they become.
_Edit = tuple[bytes | None, bytes]


class AzFileError(StacktuiError):
    """A file of az's cannot be used or changed; it is as it was."""


@dataclass(frozen=True, slots=True)
class AzClouds:
    """The registered clouds, by name and in order: their options with az's names for them.

    `active` is the one in use, empty if none is said; `instance_discovery` is false where az's
    config turns it off. Both are what the file says: `active_here` and `instance_discovery_here`
    are this shell's variables, which az prefers; empty and None where they are not set.
    """

    registered: Mapping[str, Mapping[str, str]]
    active: str = ""
    instance_discovery: bool = True
    active_here: str = ""
    instance_discovery_here: bool | None = None

    @property
    def in_use(self) -> str:
        """The cloud that az uses in this shell; empty if none is said."""
        return self.active_here or self.active


@dataclass(frozen=True, slots=True)
class Written:
    """A changed file of az's, and the copy of it as it was, if there was one."""

    path: Path
    backup: Path | None = None


def clouds_file() -> Path:
    return azure_folder() / "clouds.config"


def config_file() -> Path:
    return azure_folder() / "config"


def read_clouds() -> AzClouds:
    """Return what az's files say, less the clouds that are built in. Blocks on disk.

    Raises AzFileError for a file that az cannot use.
    """
    clouds, config = _read(clouds_file())[1], _read(config_file())[1]
    here = os.environ.get("AZURE_CORE_INSTANCE_DISCOVERY")
    return AzClouds(
        {
            each.name: {key: _plain(text) for key, text in (clouds.defaults | each.values).items()}
            for each in clouds.sections
            if each.name not in BUILT_IN_CLOUDS.values()
        },
        _value(config, "cloud", "name"),
        _is_on(_value(config, "core", "instance_discovery")),
        os.environ.get("AZURE_CLOUD_NAME", ""),
        None if here is None else _is_on(here),
    )


def require_registrable(name: str, options: Mapping[str, str], profiles: Collection[str]) -> None:
    """Raise AzFileError where `register` would."""
    _registered(name, options, profiles)


def register(name: str, options: Mapping[str, str], profiles: Collection[str]) -> Written | None:
    """Put these options in the section `name` of `clouds.config`; others in it stay.

    Returns None where they are there already. `profiles` are those that az knows. Blocks on disk.
    Raises AzFileError.
    """
    return _change(clouds_file(), _CLOUDS_MODE, lambda: _registered(name, options, profiles))


def activate(name: str) -> Written | None:
    """Make a registered cloud the active one. As `register`."""
    return _set("cloud", {"name": name})


def turn_instance_discovery_off() -> Written | None:
    """Set `core.instance_discovery`, which is for all of az's clouds, to false. As `register`."""
    return _set("core", {"instance_discovery": "false"})


def _registered(name: str, options: Mapping[str, str], profiles: Collection[str]) -> _Edit:
    if name.lower() in (each.lower() for each in BUILT_IN_CLOUDS.values()):
        raise AzFileError(f"{name} is a cloud that az has built in; choose another name")
    before, after = _edited(clouds_file(), name, options)
    if (flaw := flaw_of_values(parsed(after), profiles)) is not None:
        raise _flawed(clouds_file(), *flaw)
    return before, after


def _set(section: str, values: Mapping[str, str]) -> Written | None:
    path = config_file()
    return _change(path, _CONFIG_MODE, lambda: _edited(path, section, values))


def _edited(path: Path, section: str, values: Mapping[str, str]) -> _Edit:
    before, _ = _read(path)
    try:
        return before, with_values(before or b"", section, values)
    except ValueError as error:
        raise AzFileError(f"{path}: {error}; it is as it was") from None


def _change(path: Path, mode: int, edit: Callable[[], _Edit]) -> Written | None:
    refuse_if_read_only()
    try:
        with exclusive(path):
            before, after = edit()
            if after == before:
                return None
            backup = back_up(path, before) if before else None
            write_atomically(path, after, mode=mode)
            return Written(path, backup)
    except OSError as error:
        if is_exhaustion(error):
            raise
        reason = error.strerror or type(error).__name__
        raise AzFileError(f"{path} cannot be written ({reason}); it is as it was") from None


def _read(path: Path) -> tuple[bytes | None, Parsed]:
    """Return a file's bytes, None where there is no file, and what az reads in it."""
    try:
        content = read_bounded(path, MAX_SIZE)
    except FileReadError as error:
        if error.problem is ReadProblem.MISSING and not path.is_symlink():
            return None, Parsed()
        raise AzFileError(f"{path} cannot be read: {error.detail}") from None
    found = parsed(content)
    if found.flaw is not None:
        raise _flawed(path, found.flaw, found.detail)
    return content, found


def _flawed(path: Path, flaw: Flaw, detail: str) -> AzFileError:
    fix = _MENDED_BY.get(flaw, "fix it in an editor, or move it away")
    return AzFileError(f"az cannot use {path}: {detail}; {fix}; it is as it was")


def _value(found: Parsed, section: str, option: str) -> str:
    known = found.section(section)
    return _plain((found.defaults | known.values).get(option, "")) if known else ""


def _is_on(text: str) -> bool:
    return text.lower() not in ("0", "no", "false", "off")


def _plain(text: str) -> str:
    return text.replace("%%", "%")
