"""The single owner of paths: nothing else in the product asks the platform for a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

CONFIG_VARIABLE = "STACKTUI_CONFIG"
APP = "stacktui"


def config_file(explicit: Path | None = None) -> Path:
    """Return the config file: `explicit`, else `$STACKTUI_CONFIG`, else the platform's place.

    The file may not exist.
    """
    if explicit is not None:
        return _expanded(explicit)
    if named := os.environ.get(CONFIG_VARIABLE):
        return _expanded(named)
    return config_directory() / "config.toml"


def _expanded(path: Path | str) -> Path:
    # Unlike Path.expanduser, this keeps `~name` of an unknown user.
    return Path(os.path.expanduser(path))


# What decides, beside the user's entry in the system, where the platform's directories are.
_VARIABLES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
# Where a demo keeps all its files, None outside a demo.
_demo_root: Path | None = None
# The name of a file beside the config of a demo.
_DEMO = ".stacktui-demo"


def config_directory() -> Path:
    """Return the platform's config directory of this user, or a demo's; it may not exist."""
    if _demo_root is not None:
        return _demo_root
    return _platform_directory("user_config_dir", "/.config")


def state_directory() -> Path:
    """Return the platform's directory for what a program remembers, or a demo's.

    It may not exist.
    """
    if _demo_root is not None:
        return _demo_root
    return _platform_directory("user_state_dir", "/.local/state")


def _platform_directory(name: str, without_home: str) -> Path:
    return _directory(name, without_home, *map(os.environ.get, _VARIABLES))


@cache
def _directory(name: str, without_home: str, *_variables: str | None) -> Path:
    import platformdirs

    try:
        return Path(getattr(platformdirs, name)(APP, appauthor=False))
    except RuntimeError:  # a user without HOME and without an entry: login(1) takes `/` for home
        return Path(without_home, APP)


def is_demo() -> bool:
    """Return whether this is a demo, which must not change the user's own files."""
    return _demo_root is not None


def mark_demo(folder: Path) -> None:
    """Make every process that uses the config in `folder` keep all its files there.

    A remedy of a demo, pasted into another shell, must change the demo and not the user's files.
    """
    (folder / _DEMO).touch()


def use_demo_root(config: Path | None) -> None:
    """Keep this process's files beside `config`, if that is a demo's."""
    global _demo_root  # the owner of paths is one for the whole process
    if config is not None and (config.parent / _DEMO).is_file():
        _demo_root = config.parent.absolute()


@contextmanager
def config_root(folder: Path) -> Iterator[None]:
    """Keep this process's files in `folder`: a demo must neither read nor change the user's."""
    global _demo_root  # the owner of paths is one for the whole process
    before, _demo_root = _demo_root, folder
    try:
        yield
    finally:
        _demo_root = before


def own_bundle() -> Path:
    """Return stacktui's own CA bundle, trusted in addition to the base store; it may not exist."""
    return config_directory() / "ca-bundle.pem"


def additions_file() -> Path:
    """Return the file that lists roots added to other programs' bundles; it may not exist."""
    return config_directory() / "additions.json"


def stamps_file() -> Path:
    """Return the file of the stamps' records (see `environments.record`); it may not exist."""
    return config_directory() / "stamps.json"


def history_file() -> Path:
    """Return the database of finished checks (see `check.history`); it may not exist."""
    return state_directory() / "history.sqlite"


def operations_file() -> Path:
    """Return the file of operations that may go on in ARM; it may not exist.

    See `resources.operations`.
    """
    return state_directory() / "operations.json"


def exported_bundle() -> Path:
    """Return the default place of a combined bundle for other programs."""
    return config_directory() / "az-bundle.pem"


def own_files() -> tuple[Path, ...]:
    """Return the files that stacktui writes for itself, beside the config; they may not exist."""
    return (
        own_bundle(),
        additions_file(),
        stamps_file(),
        history_file(),
        operations_file(),
        exported_bundle(),
    )


def is_same_file(one: Path, other: Path) -> bool:
    """Return whether these are the same file, also on a case-insensitive file system."""
    try:
        return one.samefile(other)
    except OSError:  # one of them is not there
        return os.path.realpath(one) == os.path.realpath(other)


def user_themes() -> Path:
    """Return the folder of the user's own themes; it may not exist."""
    return config_directory() / "themes"


def packaged_themes() -> Path:
    """Return the folder of the product's themes: in the wheel, else in the checkout."""
    package = Path(__file__).parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"
