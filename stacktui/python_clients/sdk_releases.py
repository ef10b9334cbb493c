"""The releases of the Python SDK that have the api-versions of a stamp (PROTOCOL.md section 7)."""

from __future__ import annotations

from collections.abc import Mapping

from stacktui.python_clients.packages import Package, PythonEnvironment

# The first major release that has a single api-version, newer than any stamp's, and what to ask
# pip for instead. The first was run: azure-mgmt-resource 24.0.0 lists the groups of a stamp by
# profile, 25.0.0 dropped the models of older api-versions, 26.0.0 also the documented import.
_TOO_NEW: Mapping[str, tuple[int, str]] = {
    "azure-mgmt-resource": (25, "==24.0.0"),
    "azure-mgmt-storage": (23, "<23"),
    "azure-mgmt-keyvault": (12, "<12"),
    "azure-mgmt-compute": (36, "<36"),
}
RESOURCE = "azure-mgmt-resource"


def too_new(environment: PythonEnvironment) -> tuple[Package, ...]:
    """Return the packages that ask a stamp for api-versions that it does not have."""
    return tuple(
        each
        for each in environment.packages
        if each.name in _TOO_NEW and each.release[:1] >= (_TOO_NEW[each.name][0],)
    )


def has_fitting(environment: PythonEnvironment) -> bool:
    """Return whether a package is one that a stamp is known to have the api-versions for."""
    late = too_new(environment)
    return any(each.name in _TOO_NEW and each not in late for each in environment.packages)


def last_for_stamp(package: Package) -> str:
    """Return what pip is asked for, such as `azure-mgmt-resource==24.0.0`."""
    return f"{package.name}{_TOO_NEW[package.name][1]}"
