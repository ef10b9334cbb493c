"""Canned values with fixed paths and times for the trust, untrust and export screens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stacktui.certificates.bundle import Change
from stacktui.certificates.destination import Destination
from stacktui.tui.trusting import THERE, Added, Exported, Place, Proposal

from .canned import STARTED, describe

ROOT = describe(b"root")
OWN = Destination(Path("/home/ops/.config/stacktui/ca-bundle.pem"), ours=True)
CA = Destination(Path("/etc/stacktui/root.pem"), environments=("AzureStackUser",))
AZ = Destination(Path("/opt/az/lib/python3.11/site-packages/certifi/cacert.pem"))


def place(
    name: str, destination: Destination, says: str, word: str = "writable", why_not: str = ""
) -> Place:
    change = Change(destination.path, destination.ours, b"", b"root", added=(b"root",))
    return Place(name, destination, says, word, None if why_not else change, why_not)


PLACES = (
    place(
        "own bundle",
        OWN,
        "Counts for every environment here. az and other programs do not read it: press x in the "
        "pane to export a bundle for them.",
    ),
    place(
        "ca of AzureStackUser",
        CA,
        "Counts for AzureStackUser alone.",
        THERE,
        "it is in there already",
    ),
    place(
        "az 2.66.2",
        AZ,
        "The bundle of az 2.66.2 (/usr/bin/az); needs write permission. The file as it is now is "
        "kept as cacert.pem.before-stacktui. An upgrade of certifi loses it without a word. The "
        "export (x in the pane) survives upgrades and needs no root.",
        "not writable",
        "you may not write there: be root, or use x in the pane instead",
    ),
)
PRESENTED = Proposal(STARTED, ROOT, (), PLACES)
HELD = Proposal(STARTED, ROOT, ("in use", "waagent"), PLACES)
NO_ROOT = Proposal(
    STARTED,
    why_not="The chain goes on with Contoso Root CA, which the host does not present and no store "
    "on this box holds.",
    mend="Ask the stamp's operator for that root as a file (a Linux VM in the stamp has it in "
    "/var/lib/waagent/Certificates.pem), compare its SHA-256, then: stacktui certificates trust "
    "FILE",
)
ADDED = (
    Added(STARTED, "own bundle", OWN, ROOT),
    Added(STARTED, "az 2.66.2", AZ, ROOT, lost=True),
    Added(
        STARTED,
        "ca of AzureStackUser",
        CA,
        replace(ROOT, common_name="Contoso Root CA", sha256="00:11:22"),
    ),
)
PATH = Path("/home/ops/.config/stacktui/az-bundle.pem")
EXPORTED = Exported(
    PATH,
    (("certifi", 142), ("own bundle", 1), ("ca of AzureStackUser", 0)),
    ("ca of AzureStackAdmin: /etc/stacktui/gone.pem is not there",),
    f"export REQUESTS_CA_BUNDLE={PATH}",
    f"$env:REQUESTS_CA_BUNDLE = '{PATH}'",
)
