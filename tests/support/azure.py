"""Files of `az`: an installation (launcher and packages) and MSAL's cache of errors."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

from msal.throttled_http_client import ThrottledHttpClient

# azure-cli's launcher as pip installs it: the first line names the Python.
LAUNCHER = "#!{prefix}/bin/python\n\nimport os\nimport sys\n"


def installed_az(prefix: Path, version: str) -> Path:
    """Write an `az` that cannot run but has all files that are read; return its launcher."""
    packages = prefix / "lib" / "python3.12" / "site-packages"
    core = packages / "azure" / "cli" / "core"
    core.mkdir(parents=True)
    (core / "__init__.py").write_text(f'__version__ = "{version}"\n')
    (packages / "certifi").mkdir()
    (packages / "certifi" / "cacert.pem").write_text("")
    launcher = prefix / "bin" / "az"
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER.format(prefix=prefix))
    launcher.chmod(0o755)
    (launcher.parent / "python").touch()
    return launcher


def unknown_az(folder: Path) -> Path:
    """Write an `az` of an unknown form that must not be run: running it creates the file `ran`."""
    folder.mkdir(parents=True)
    launcher = folder / "az"
    launcher.write_text(f"#!/bin/sh\necho ran >> {folder}/ran\n")
    launcher.chmod(0o755)
    return launcher


def kept_by_msal(
    url: str, status: int, text: str, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the cache file that `az` writes after this response at `url`, as MSAL pickles it."""
    answer = SimpleNamespace(
        status_code=status, text=text, headers={"content-type": "text/plain", **(headers or {})}
    )
    found = SimpleNamespace(status_code=200, text="{}", headers={})
    cache: dict[str, object] = {}
    client = ThrottledHttpClient(
        SimpleNamespace(post=lambda *_, **__: answer, get=lambda *_, **__: found), http_cache=cache
    )
    client.get(f"{url}/.well-known/openid-configuration")
    client.post(url, data={"client_id": "app", "scope": "s/.default", "client_secret": "wrong"})
    return pickle.dumps(cache)


def answering_az(folder: Path, script: str) -> Path:
    """Write an `az` that notes its arguments and variables in `folder`, and runs a shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    launcher = folder / "az"
    note = f"printf '%s\\n' \"$@\" > {folder}/arguments\nenv > {folder}/variables\n"
    launcher.write_text(f"#!/bin/sh\n{note}{script}\n")
    launcher.chmod(0o755)
    return launcher


def registered_cloud(folder: Path, arm: str, login: str, audience: str, **more: str) -> None:
    """Register a cloud `ours` in az's files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "profile": "2020-09-01-hybrid",
        "endpoint_active_directory": login,
        "endpoint_active_directory_resource_id": audience,
        "endpoint_resource_manager": arm,
    } | more
    lines = [f"{key} = {value}" for key, value in options.items() if value]
    (folder / "clouds.config").write_text("\n".join(["[ours]", *lines, ""]))
