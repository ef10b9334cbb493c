"""What a sign-in service says means the same to `check`, on the wire, and to `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stacktui.diagnosis.catalogue.every_fault import EVERY_FAULT
from stacktui.diagnosis.recognise import recognise
from tests.diagnosis.servers import CLIENT_ID, Coded, ran_as, said
from tests.support.authority import authority, rsa_key

APPLICATION = f'kind = "service-principal"\nclient_id = "{CLIENT_ID}"\n'
SECRET = APPLICATION + 'secret = { file = "secret" }'
CERTIFICATE = APPLICATION + 'certificate = "sp.pem"'
USER = 'kind = "user"\nusername = "a@b.test"\npassword = { file = "secret" }'
DEVICE_CODE = 'kind = "device-code"'
# Whose sign-in meets a fault that not every identity does.
OF_USERS = (
    "password-wrong account-locked account-disabled password-expired mfa-required "
    "conditional-access consent-required"
)
MET_BY = {
    "sp-cert-rejected": CERTIFICATE,
    "device-code-expired": DEVICE_CODE,
    **dict.fromkeys(OF_USERS.split(), USER),
}


def said_of_faults() -> Iterator[tuple[str, str, str]]:
    """Each fault's id, with each of its codes and each OAuth error that they come with."""
    for fault in EVERY_FAULT.values():
        if fault.refusal is not None:
            for code in sorted(fault.refusal.codes):
                for error in sorted(fault.refusal.errors):
                    yield fault.id, code, error


@pytest.mark.parametrize(("id_", "code", "error"), said_of_faults())
async def test_a_code_is_read_alike(id_: str, code: str, error: str, tmp_path: Path) -> None:
    description = f"{code}: it was refused. Trace ID: 1"
    identity = MET_BY.get(id_, SECRET)
    if identity is CERTIFICATE:
        client = authority().leaf("client", key=rsa_key())
        (tmp_path / "sp.pem").write_bytes(client.pem + client.key_pem)
    answer = said({"error": error, "error_description": description}, "400 Bad Request")
    ran = await ran_as(tmp_path, Coded(token=answer), identity)
    assert ran.document["verdict"]["id"] == id_
    assert id_ in [each.fault.id for each in recognise(description).candidates]
