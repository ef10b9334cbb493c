"""Faults of the catalogue as az alone meets them: the check is not stopped by them.

Each function explains one, for the `az` of an `AzContext`, with the remedies for az.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stacktui.diagnosis.az_context import AzContext
from stacktui.diagnosis.context import described
from stacktui.diagnosis.fault import Explanation
from stacktui.diagnosis.formatting import names_line
from stacktui.diagnosis.remedies import EXPORT_BUNDLE
from stacktui.diagnosis.remedy_template import RemedyTemplate, for_both
from stacktui.environments.metadata import PATH
from stacktui.identities.model import IdentityKind

if TYPE_CHECKING:
    from stacktui.check.az_clients import AzHost

# The version of the metadata that az up to 2.72 asks for (PROTOCOL.md section 1).
AZ_API_VERSION = "2015-01-01"

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WRITE = for_both(
    "Write the stamp into az's files with all of its endpoints: az then asks for no metadata",
    "stacktui environments export --format az{environment}",
)
_ADD_HOST = RemedyTemplate(
    "Add {host} to the DNS of this machine, or to its hosts file; az does not read `resolve`"
)
_ISSUE = RemedyTemplate("The stamp's operator issues a certificate that this client takes")
_CONVERT = for_both(
    "Write certificate and key as az reads them, and sign in with az by that file",
    "stacktui certificates convert {path} {pem}",
    path="FILE",
    pem="FILE.pem",
)
_ANY_ID = RemedyTemplate(
    "Sign in with az with an id as --tenant: AD FS takes any, such as "
    "00000000-0000-0000-0000-000000000000"
)
_OWN_ID = RemedyTemplate("Sign in with az with the tenant's id (a GUID) as --tenant")
_UPDATE_STAMP = RemedyTemplate(
    "The stamp's operator updates it to 1.2108.2.130 or later; until then, work without az"
)
_UNSET_CLOUD = RemedyTemplate(
    "Name the stamp's cloud, or none: in this shell, and wherever the variable is set for good",
    "unset AZURE_CLOUD_NAME",
    "Remove-Item Env:AZURE_CLOUD_NAME",
)


def older_version(context: AzContext, served: str) -> Explanation:
    """Explain metadata that is not served by the api-version that az asks for."""
    return Explanation(
        f"az asks for the metadata by api-version {AZ_API_VERSION}, which this stamp refuses",
        (
            f"{context.environment.arm}{PATH}?api-version={AZ_API_VERSION} was refused",
            f"api-version {served} was answered, which az up to 2.72 does not ask for",
        ),
        (_WRITE.fill(**context.placeholders),),
    )


def byte_order_mark(context: AzContext) -> Explanation:
    """Explain metadata that begins with a byte-order mark."""
    return Explanation(
        "az cannot read the stamp's metadata, which begins with a byte-order mark",
        ("az: Response body does not contain valid json. Error detail: Unexpected UTF-8 BOM",),
        (_WRITE.fill(**context.placeholders),),
    )


def unfit_metadata(context: AzContext, *, a_list: bool) -> Explanation:
    """Explain metadata that is a list, or has no graphEndpoint: az cannot register it."""
    what, why = "has no graphEndpoint", "without it az registers nothing; this check needs none"
    if a_list:
        what, why = "is a list", f"to api-version {AZ_API_VERSION} az wants one object"
    remedies = (_WRITE.fill(**context.placeholders),)
    return Explanation(f"az cannot use the stamp's metadata: it {what}", (why,), remedies)


def unresolved(host: AzHost) -> Explanation:
    """Explain a name that this environment pins and nobody else knows."""
    return Explanation(
        f"The name {host.host} does not exist for az",
        (f"the environment's resolve has it, the resolver of this machine does not: {host.host}",),
        (_ADD_HOST.fill(host=host.host),),
    )


def refused_certificate(context: AzContext, host: AzHost) -> Explanation:
    """Explain a certificate that az refuses, and this check took."""
    client, verification = context.client, host.verification
    python, urllib3 = client.installation.python, client.installation.urllib3
    said = verification.message if verification else ""
    evidence = [f"OpenSSL would say to az: {said}"]
    if client.store is not None:
        evidence.append(f"az trusts {client.store.path} alone ({client.store.setting})")
    if python or urllib3:
        evidence.append(f"az runs Python {python or '?'} with urllib3 {urllib3 or '?'}")
    seen = next(
        (each for each in context.presented if (each.host, each.port) == (host.host, host.port)),
        None,
    )
    if seen is not None and seen.tls is not None and seen.tls.chain:
        names = described(seen.tls.chain[0]).names
        evidence.append(f"the certificate is for: {names_line(names)}")
    remedies = (EXPORT_BUNDLE.fill(**context.placeholders), _ISSUE.fill())
    return Explanation(f"az refuses the certificate of {host.host}", tuple(evidence), remedies)


def untrusted_login(context: AzContext, host: AzHost) -> Explanation:
    """Explain a file of roots that leads to no root of the login host's chain."""
    store = context.client.store
    where = f"{store.path} alone ({store.setting})" if store else "its own file of roots"
    return Explanation(
        f"az does not trust the login host {host.host}",
        (
            f"it trusts {where}, and not what signs for {host.host}",
            "for az, a bundle must hold the roots of ARM and of the login host",
        ),
        (EXPORT_BUNDLE.fill(**context.placeholders),),
    )


def unusable_certificate(path: str, why: str) -> Explanation:
    """Explain a certificate file that signs this check in, and not az."""
    return Explanation(
        f"az cannot sign in with the certificate file: {why}",
        (f"{path}: {why}", "az reads a PEM file of ASCII text, with its key unencrypted"),
        (_CONVERT.fill(path=path, pem=f"{path}.az.pem"),),
    )


def asked_for_tenant(context: AzContext) -> str:
    """Return the URL at which az 2.66 asks for the id of the identity's tenant, empty if at none.

    It does so for a tenant given by name. AD FS has none, and its users need not give any.
    """
    identity, login = context.identity, context.login_as_az_has_it
    if identity is None or not identity.tenant or not login or _GUID.fullmatch(identity.tenant):
        return ""
    service_principal = identity.kind is IdentityKind.SERVICE_PRINCIPAL
    if not (service_principal or (identity.kind is IdentityKind.USER and not context.is_adfs)):
        return ""
    return f"{login}/{identity.tenant}/v2.0/.well-known/openid-configuration"


def tenant_by_name(context: AzContext) -> Explanation | None:
    """Explain a tenant's name that AD FS, or a login endpoint with a slash, cannot resolve."""
    url = asked_for_tenant(context)
    if not url or not (context.is_adfs or context.login_as_az_has_it.endswith("/")):
        return None
    remedy = _ANY_ID.fill() if context.is_adfs else _OWN_ID.fill()
    title = "az cannot find the tenant of the identity by its name"
    return Explanation(title, (f"az asks {url}", "it asks nobody about an id"), (remedy,))


def default_scope_refused(scope: str) -> Explanation:
    """Explain an AD FS that refuses the one scope that az asks for."""
    return Explanation(
        "AD FS gives az no token: az asks for the scope /.default alone",
        (
            f"AD FS refused /.default (MSIS9605), and took {scope}",
            "stacktui tries the second, az does not; AD FS of builds before 1.2108.2.130 is so",
        ),
        (_UPDATE_STAMP.fill(),),
    )


def another_cloud(context: AzContext) -> Explanation | None:
    """Explain an AZURE_CLOUD_NAME that keeps az at another cloud than the stamp's."""
    az = context.az
    if not az.by_variable or any(each.name == az.active for each in context.clouds):
        return None
    if not context.clouds and not context.knows_active:
        return None  # the stamp may yet be registered by that name
    return Explanation(
        f"AZURE_CLOUD_NAME keeps az at {az.active}, which is not this stamp",
        (f"AZURE_CLOUD_NAME={az.active} overrides `az cloud set`",),
        (_UNSET_CLOUD.fill(),),
    )
