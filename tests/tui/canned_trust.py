"""Canned values with fixed paths and times for the trust, untrust and export screens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stacktui.certificates.bundle import Change
from stacktui.certificates.export import Exported, Part
from stacktui.certificates.roots import why_no_root
from stacktui.certificates.stores import Store, StoreKind
from stacktui.certificates.trust import TrustSource
from stacktui.certificates.trust_root import OptionState, Proposal, TrustOption
from stacktui.certificates.trust_target import TrustTarget
from stacktui.certificates.untrust_root import AddedRoot
from tests.support.authority import authority, localhost

from .canned import STARTED, describe

ROOT = describe(b"root")
OWN = TrustTarget(Path("/home/ops/.config/stacktui/ca-bundle.pem"), ours=True, name="own bundle")
CA = TrustTarget(
    Path("/etc/stacktui/root.pem"), environments=("AzureStackUser",), name="ca of AzureStackUser"
)
AZ = TrustTarget(Path("/opt/az/lib/python3.11/site-packages/certifi/cacert.pem"), name="az 2.66.2")
AZ_STORE = Store(StoreKind.AZ, AZ.name, (TrustSource(AZ.name, str(AZ.path)),), detail="/usr/bin/az")

OPTIONS = (
    TrustOption(OWN, change=Change(OWN.path, OWN.ours, b"", b"root", added=(b"root",))),
    TrustOption(CA, OptionState.PRESENT, why_not="it is in there already"),
    TrustOption(
        AZ,
        OptionState.NOT_WRITABLE,
        why_not="you may not write there: be root, or export a bundle instead",
        store=AZ_STORE,
        backup=AZ.path.with_name("cacert.pem.before-stacktui"),
    ),
)
PRESENTED = Proposal(STARTED, ROOT, (), OPTIONS)
FROM_FILE = Proposal(STARTED, ROOT, (), OPTIONS, file=Path("/home/ops/root.p7b"))
HELD = Proposal(STARTED, ROOT, ("in use", "waagent"), OPTIONS)
NO_ROOT = why_no_root(
    (localhost().der, authority().intermediate.der), "management.local.azurestack.external"
)
ADDED = (
    AddedRoot(STARTED, OWN, ROOT),
    AddedRoot(STARTED, AZ, ROOT, lost=True),
    AddedRoot(STARTED, CA, replace(ROOT, common_name="Contoso Root CA", sha256="00:11:22")),
)
PATH = Path("/home/ops/.config/stacktui/az-bundle.pem")
EXPORTED = Exported(
    PATH,
    (
        Part(TrustSource("certifi", ""), 142),
        Part(TrustSource("own bundle", ""), 1),
        Part(TrustSource("ca of AzureStackUser", ""), 0),
    ),
    ("ca of AzureStackAdmin: /etc/stacktui/gone.pem is not there",),
)
