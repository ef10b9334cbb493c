"""The single owner of paths: nothing else in the product asks the platform for a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG_VARIABLE = "STACKTUI_CONFIG"
APP = "stacktui"


def config_file(explicit: Path | None = None) -> Path:
    """The config file to use: `explicit`, else `$STACKTUI_CONFIG`, else the platform's place.

    The file may not exist.
    """
    if explicit is not None:
        return _expanded(explicit)
    if named := os.environ.get(CONFIG_VARIABLE):
        return _expanded(named)
    return config_directory() / "config.toml"


def _expanded(path: Path | str) -> Path:
    # Unlike Path.expanduser, this leaves the home of an unknown user as it is written.
    return Path(os.path.expanduser(path))


_elsewhere: Path | None = None
# Beside the config of a demo.
_DEMO = ".stacktui-demo"


def config_directory() -> Path:
    """The platform's config directory of this user; it may not exist."""
    if _elsewhere is not None:
        return _elsewhere
    import platformdirs

    return Path(platformdirs.user_config_dir(APP, appauthor=False))


def is_kept_elsewhere() -> bool:
    """Whether this is a demo, which must not offer to change what is the user's either."""
    return _elsewhere is not None


def mark_demo(folder: Path) -> None:
    """Have every process that is given the config in `folder` keep everything in there: a mend
    of a demo, pasted into another shell, must mend the demo and nothing of the user's."""
    (folder / _DEMO).touch()


def follow_demo(config: Path | None) -> None:
    """Keep everything beside `config` in this whole process, if that is a demo's."""
    global _elsewhere  # the owner of paths is one for the whole process
    if config is not None and (config.parent / _DEMO).is_file():
        _elsewhere = config.parent.absolute()


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Keep everything in `folder` instead, in this whole process: for a demo, which must neither
    read nor change what is the user's."""
    global _elsewhere  # the owner of paths is one for the whole process
    before, _elsewhere = _elsewhere, folder
    try:
        yield
    finally:
        _elsewhere = before


def own_bundle() -> Path:
    """stacktui's own CA bundle, trusted besides the base store; it may not exist."""
    return config_directory() / "ca-bundle.pem"


def additions_file() -> Path:
    """The memory of roots that were added to bundles of others; it may not exist."""
    return config_directory() / "additions.json"


def stamps_file() -> Path:
    """What was recorded of each environment's stamp when it was first found well; it may not
    exist."""
    return config_directory() / "stamps.json"


def exported_bundle() -> Path:
    """Where a combined bundle for other programs goes unless a place is named."""
    return config_directory() / "az-bundle.pem"


def user_themes() -> Path:
    """Where a user puts themes of their own; it may not exist."""
    return config_directory() / "themes"


def packaged_themes() -> Path:
    """The themes that come with the product: in the wheel, else in the checkout."""
    package = Path(__file__).parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"
