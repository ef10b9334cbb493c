"""stacktui's own form: what is exported is read back as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stacktui.check.settings import load_settings
from stacktui.environments.cloud import cloud_of
from stacktui.environments.metadata import IdentityProvider, Metadata
from stacktui.environments.model import CloudKey, Environment
from stacktui.exchange.connection import Connection
from stacktui.exchange.toml_form import render
from stacktui.identities.model import (
    CertificateRef,
    EnvSecret,
    FileSecret,
    Identity,
    IdentityKind,
    KeyringSecret,
    PromptSecret,
    TypedSecret,
)
from stacktui.transport.limits import Limits

METADATA = Metadata("2015-01-01", "https://adfs.w.example/adfs", "aud", IdentityProvider.ADFS)
WHOLE = Environment(
    'We"st \\ é',
    "https://management.w.example",
    "2019-03-01-hybrid",
    "o.ps",
    "sub-1",
    Path("/etc/ssl/ca é.pem"),
    "http://proxy:3128",
    {"*.w.example:443": "10.0.0.5:8443"},
    Limits(connect=7.5, pages=3),
    {CloudKey.AUDIENCE: "https://arm/7f", CloudKey.GALLERY: "https://g.w.example/"},
)
SECRET = "hunter2-in-memory"
IDENTITIES = (
    Identity("o.ps", IdentityKind.SERVICE_PRINCIPAL, "app", EnvSecret("OPS_SECRET"), "tenant"),
    Identity("o.ps", IdentityKind.SERVICE_PRINCIPAL, "app", CertificateRef(Path("/k/ops.pem"))),
    Identity(
        "o.ps",
        IdentityKind.SERVICE_PRINCIPAL,
        "app",
        CertificateRef(Path("/k/ops.pfx"), EnvSecret("OPS_PFX")),
    ),
    Identity("o.ps", IdentityKind.USER, "app", FileSecret(Path("/k/p")), "t", "me@w.example"),
    Identity("o.ps", IdentityKind.USER, "app", PromptSecret(), "t", "me@w.example"),
    Identity("o.ps", IdentityKind.SERVICE_PRINCIPAL, "app", KeyringSecret("stacktui", "o.ps")),
    Identity("o.ps", IdentityKind.AZURE_CLI),
    Identity("o.ps", IdentityKind.DEVICE_CODE, "app"),
    Identity("o.ps", IdentityKind.MANAGED_IDENTITY, resource_id="/subscriptions/s/x"),
)


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda each: each.kind)
def test_an_export_is_read_back_as_it_was(identity: Identity, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(render(Connection(WHOLE, cloud_of(WHOLE, METADATA), identity)), "utf-8")
    settings = load_settings(config)
    assert settings.warnings == ()
    assert settings.environments == {WHOLE.name: WHOLE}
    assert settings.identities == {"o.ps": identity}


def test_no_secret_is_in_it(tmp_path: Path) -> None:
    environment = replace(WHOLE, proxy=f"http://me:{SECRET}@proxy:3128")
    typed = TypedSecret(SECRET, EnvSecret("OPS_SECRET"))
    identity = replace(IDENTITIES[0], credential=typed)
    cloud = cloud_of(environment, METADATA)
    text = render(Connection(environment, cloud, identity, SECRET))
    assert SECRET not in text
    assert 'secret = { env = "OPS_SECRET" }' in text
    assert 'proxy = "http://proxy:3128"' in text
