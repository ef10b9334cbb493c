"""Connections to export in the tests, of a development kit and of an integrated system."""

from __future__ import annotations

from pathlib import Path

from stacktui.environments.cloud import cloud_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import Environment
from stacktui.exchange.connection import Connection, Machine
from stacktui.exchange.shells import Shell
from stacktui.identities.model import (
    AZURE_CLI,
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
)
from stacktui.resources.api_versions import RESOURCES, known_version

SUBSCRIPTION = "6f2d9c1e-8a5b-4f0e-9c3d-2b7a1e5f4d60"
ADFS = Metadata(
    "2015-01-01",
    "https://adfs.local.azurestack.external/adfs",
    "https://management.adfs.azurestack.local/7f",
    IdentityProvider.ADFS,
    graph="https://graph.local.azurestack.external/",
    storage_suffix="local.azurestack.external",
    keyvault_suffix=".vault.local.azurestack.external",
    login_as_given="https://adfs.local.azurestack.external/adfs/",
)
ENTRA = Metadata(
    "2015-01-01",
    "https://login.microsoftonline.com",
    "https://management.contoso.onmicrosoft.com/1a",
    IdentityProvider.ENTRA,
    storage_suffix="east.contoso.com",
    keyvault_suffix=".vault.east.contoso.com",
)
ALIASES = "https://aliases.blob.east.contoso.com/a/aliases.json"
ASDK = Environment(
    "Kit", "https://management.local.azurestack.external", identity="ops", subscription=SUBSCRIPTION
)
EAST = Environment(
    "East", "https://management.east.contoso.com", "2019-03-01-hybrid", "ops", SUBSCRIPTION,
    vm_image_aliases=ALIASES,
)  # fmt: skip
APP = "11111111-2222-3333-4444-555555555555"
TENANT = "contoso.onmicrosoft.com"
IDENTITIES = {
    "secret": Identity("ops", IdentityKind.SERVICE_PRINCIPAL, APP, EnvSecret("OPS_SECRET"), TENANT),
    "secret-file": Identity(
        "ops", IdentityKind.SERVICE_PRINCIPAL, APP, FileSecret(Path("/run/s p/ops")), TENANT
    ),
    "certificate": Identity(
        "ops", IdentityKind.SERVICE_PRINCIPAL, APP, CertificateRef(Path("/run/s p/ops.pem")), TENANT
    ),
    "user": Identity(
        "ops", IdentityKind.USER, AZURE_CLI, EnvSecret("OPS_PASSWORD"), TENANT, f"me@{TENANT}"
    ),
    "device-code": Identity("ops", IdentityKind.DEVICE_CODE, AZURE_CLI, tenant=TENANT),
    "managed": Identity("ops", IdentityKind.MANAGED_IDENTITY, APP),
}


def connection(
    environment: Environment = EAST,
    identity: Identity | None = None,
    secret: str | None = None,
    machine: Machine | None = None,
) -> Connection:
    """A connection whose metadata are those of its environment: AD FS for the development kit."""
    metadata = ADFS if environment.arm == ASDK.arm else ENTRA
    cloud = cloud_of(environment, metadata)
    version = known_version(environment.profile, RESOURCES) or ""
    machine = machine or Machine(Shell.BASH)
    return Connection(environment, cloud, identity, secret, machine, version)
