"""The options of `az`: a variable AZURE_<SECTION>_<OPTION>, else its file `config`.

As knack 0.11 reads them (`config.py`). A `.azure/config` in the working directory is not read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from stacktui.azure_cli.ini_files import BrokenFile, Flaw, Parsed, value

_ON, _OFF = frozenset(("1", "yes", "true", "on")), frozenset(("0", "no", "false", "off"))
# The options that each command, or each login, reads as yes or no: az 2.66 ends with a traceback
# at any other value.
_BOOLEANS = (
    ("core", "no_color"),
    ("core", "only_show_errors"),
    ("core", "use_command_index"),
    ("core", "encrypt_token_cache"),
    ("core", "use_msal_http_cache"),
    ("core", "disable_progress_bar"),
    ("core", "enable_broker_on_windows"),
    ("core", "instance_discovery"),
    ("core", "login_experience_v2"),
    ("logging", "enable_log_file"),
    ("clients", "show_secrets_warning"),
)
# What commands print in: at any other value az 2.66 ends with a KeyError when it prints.
_OUTPUTS = ("json", "jsonc", "none", "table", "tsv", "yaml", "yamlc")


def variable_of(section: str, option: str) -> str:
    return f"AZURE_{section.upper()}_{option.upper()}"


def option_of(config: Parsed, section: str, option: str) -> str:
    """Return an option's value as az reads it, sanitised if it is the file's; empty if not set."""
    if (set_here := os.environ.get(variable_of(section, option))) is not None:
        return set_here
    return value(config, section, option)


def is_on(config: Parsed, section: str, option: str, default: bool) -> bool:
    """Return a yes-or-no option; the default where its value is neither."""
    text = option_of(config, section, option).lower()
    return text in _ON or (text not in _OFF and default)


def encrypts_tokens(config: Parsed) -> bool:
    """Return whether az keeps tokens and service principals encrypted, and not as JSON."""
    return is_on(config, "core", "encrypt_token_cache", default=sys.platform == "win32")


def keyring_option(config: Parsed, file: Path) -> BrokenFile | None:
    """Return the option by which az keeps tokens in the keyring of a Linux desktop, if it is on."""
    if sys.platform != "linux" or not encrypts_tokens(config):
        return None
    detail = "core.encrypt_token_cache is on, and az's Python has no PyGObject to encrypt with"
    return BrokenFile(_set_by(file, "core", "encrypt_token_cache"), Flaw.KEYRING, detail)


def broken_options(config: Parsed, file: Path) -> Iterator[BrokenFile]:
    """Yield the options whose value az cannot use, by the variable or the file that has it."""
    for section, option in _BOOLEANS:
        if _is_none_of(_ON | _OFF, config, section, option):
            # Without the value, which may be anything.
            detail = f"{section}.{option} is neither true nor false"
            yield BrokenFile(_set_by(file, section, option), Flaw.BOOLEAN, detail)
    if _is_none_of(_OUTPUTS, config, "core", "output"):
        detail = f"core.output is none of {', '.join(_OUTPUTS)}"
        yield BrokenFile(_set_by(file, "core", "output"), Flaw.OUTPUT, detail)


def _is_none_of(known: Collection[str], config: Parsed, section: str, option: str) -> bool:
    """Return whether the option is set, and to none of these."""
    text = option_of(config, section, option)
    is_set = bool(text) or variable_of(section, option) in os.environ
    return is_set and text.lower() not in known


def _set_by(file: Path, section: str, option: str) -> Path:
    variable = variable_of(section, option)
    return Path(variable) if variable in os.environ else file
