"""Whether Python environments on this machine can talk to a stamp, and what is wrong with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stacktui.certificates.certifi_repair import Installer
from stacktui.certificates.files import FileProblem
from stacktui.certificates.trust import CERTIFI, TrustFileFault
from stacktui.diagnosis.catalogue.azure_cli import is_of_public_cloud
from stacktui.diagnosis.catalogue.python_clients import SDK_TOO_NEW, sdk_too_new
from stacktui.diagnosis.catalogue.trust_files import (
    REINSTALL_THERE,
    TRUST_FILE_BAD,
    TRUST_FILE_MISSING,
    UNSET_VARIABLE,
    repairing,
)
from stacktui.diagnosis.catalogue.untrusted import TLS_UNTRUSTED_ROOT, TRUST_IN_STORE
from stacktui.diagnosis.context import ReportContext, described_path
from stacktui.diagnosis.fault import Explanation
from stacktui.diagnosis.finding import ClientResult, Finding, Remedy
from stacktui.diagnosis.recorded_root import recorded_signer
from stacktui.python_clients.sdk_releases import has_fitting

if TYPE_CHECKING:
    from stacktui.certificates.trust import TrustSource
    from stacktui.check.clients import PythonClient

PYTHON = "python"


def client_results(context: ReportContext) -> tuple[ClientResult, ...]:
    """Return what is known of each Python environment. Pure."""
    return tuple(_result(context, each) for each in context.report.clients)


def _result(context: ReportContext, client: PythonClient) -> ClientResult:
    found, environment = tuple(_findings(context, client)), client.environment
    public = is_of_public_cloud(context.environment)
    there = "cloud" if public else "stamp"
    works, summary = client.trusts, f"works with this {there}"
    if found:
        works, summary = False, ", ".join(each.id for each in found)
    elif not environment.has_client:
        works, summary = None, "has no package that talks to ARM"
    elif not (public or has_fitting(environment)):
        works, summary = None, "whether a stamp has the api-versions of its packages is not known"
    elif works is None:
        summary = f"whether it trusts the {there} is not known"
    path, version = str(environment.python), environment.version
    return ClientResult(PYTHON, path, version, environment.packages, works, summary, found)


def _findings(context: ReportContext, client: PythonClient) -> Iterator[Finding]:
    of_stamp = not is_of_public_cloud(context.environment)
    if of_stamp and (explanation := sdk_too_new(context, client.environment)) is not None:
        yield SDK_TOO_NEW.finding(explanation)
    if client.store is None:
        return
    if client.fault is not None:
        yield _unusable(client, client.store, client.fault)
    elif client.trusts is False:
        yield TLS_UNTRUSTED_ROOT.finding(untrusted(context, client.store))


def _unusable(client: PythonClient, store: TrustSource, fault: TrustFileFault) -> Finding:
    installer = Installer.PIP if client.environment.has_pip else Installer.UV
    again = REINSTALL_THERE[installer].fill(python=str(client.environment.python))
    return unusable_store(store, fault, again)


def unusable_store(store: TrustSource, fault: TrustFileFault, again: Remedy) -> Finding:
    """Return that a client's file of roots cannot be used; `again` installs its certifi anew."""
    remedy = again
    if store.setting != CERTIFI:
        remedy = UNSET_VARIABLE.fill(variable=store.setting, env_variable=f"Env:{store.setting}")
    repairs = (repairing(fault.path),) if fault.is_repairable else ()
    what = f"{_file_of(store)} {fault.what}"
    evidence = (str(fault), "it verifies no host with that")
    missing = fault.problem is FileProblem.MISSING
    kind = TRUST_FILE_MISSING if missing else TRUST_FILE_BAD
    return kind.finding(Explanation(what, evidence, (remedy, *repairs)))


def untrusted(context: ReportContext, store: TrustSource) -> Explanation:
    """Return that a client's file of roots does not lead to the root of ARM's chain."""
    root = _root_name(context)
    return Explanation(
        f"{_file_of(store)} does not hold {root}",
        (
            f"it trusts {store.path} alone ({store.setting})",
            f"the chain of {context.environment.arm} leads to {root}",
        ),
        (_trust(context, store),),
    )


def _trust(context: ReportContext, store: TrustSource) -> Remedy:
    presented = f"--presented={context.environment.name}"
    return TRUST_IN_STORE.fill(**context.placeholders, presented=presented, store=store.path)


def _file_of(store: TrustSource) -> str:
    return "The file of its certifi" if store.setting == CERTIFI else f"The file of {store.setting}"


def _root_name(context: ReportContext) -> str:
    """Return the name of the root that ARM's chain leads to, as seen now or recorded."""
    connection = context.arm_connection
    path = described_path(connection.tls.chain) if connection and connection.tls else ()
    end = path[-1] if path else recorded_signer(context)
    if end is None:
        return "the stamp's root"
    return end.common_name if end.self_issued else end.issuer_name
