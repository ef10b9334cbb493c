"""What az 2.66 prints for each flaw of its files (each run with it)."""

from __future__ import annotations

from collections.abc import Mapping

NOT_REGISTERED = "The cloud '…' is not registered. Resetting active cloud to'AzureCloud'."
REMOVED = f"'…/clouds.config' is in bad format and has been removed. {NOT_REGISTERED}"
OTHER_VALUES = (
    "nothing of its own: az login asks the registered login host, for the registered audience, and "
    "reports what that says; with the profile latest, InvalidApiVersionParameter"
)
_NO_UTF_8 = "a traceback that ends in UnicodeDecodeError: 'utf-8' codec can't decode byte …"
_NO_SECTION = (
    "a traceback that ends in configparser.MissingSectionHeaderError: File contains no section "
    "headers."
)
# By `Flaw`, of a file that az does not remove.
OF_FLAW: Mapping[str, str] = {
    "unreadable": NOT_REGISTERED,
    "byte-order-mark": _NO_SECTION,
    "utf-16": _NO_UTF_8,
    "encoding": _NO_UTF_8,
    "no-section": _NO_SECTION,
    "syntax": (
        "a traceback that ends in configparser.DuplicateSectionError, DuplicateOptionError or "
        "ParsingError, with the line"
    ),
    "percent": (
        "a traceback that ends in configparser.InterpolationSyntaxError: '%' must be followed by "
        "'%' or '('"
    ),
    "keyring": "ImportError: Unable to import module 'gi'",
    "output": "KeyError: '…', when a command prints",
    "unwritable": "a traceback that ends in PermissionError, NotADirectoryError or the like",
    "profile": (
        "a traceback that ends in knack.util.CLIError: Profile … does not exist or is not "
        "supported."
    ),
}
