"""OpenSSL's verdict without a connection, against a live handshake and against `openssl verify`."""

from __future__ import annotations

import asyncio
import re
import ssl
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from stacktui.certificates.verify import Verification, verify
from tests.support.authority import (
    STRANGERS,
    Issued,
    authority,
    issue,
    localhost,
    rsa_key,
    server_context,
    trusting,
)
from tests.support.listeners import listening, until_closed

DAY = timedelta(days=1)
OURS = authority()
MIDDLE, ROOT = OURS.intermediate, OURS.root
EXPIRED_ROOT = issue("Old Root CA", (), None, starts=-20 * DAY, ends=-DAY)

# The leaf with its key, what is presented below it, what the store holds, the code expected.
CASES: dict[str, tuple[Issued, list[Issued], list[Issued], int]] = {
    "trusted": (localhost(), [MIDDLE], [ROOT], 0),
    "trusted, root presented too": (localhost(), [MIDDLE, ROOT], [ROOT], 0),
    "rsa": (OURS.leaf("localhost", key=rsa_key()), [MIDDLE], [ROOT], 0),
    "unknown root": (localhost(), [MIDDLE], [STRANGERS.root], 20),
    "unknown root, presented": (localhost(), [MIDDLE, ROOT], [STRANGERS.root], 19),
    "no intermediate": (localhost(), [], [ROOT], 20),
    "intermediate in the store": (localhost(), [], [ROOT, MIDDLE], 0),
    "intermediate alone in the store": (localhost(), [], [MIDDLE], 2),
    "self-signed": (issue("localhost", ("localhost",), None), [], [ROOT], 18),
    "expired": (OURS.leaf("localhost", starts=-9 * DAY, ends=-DAY), [MIDDLE], [ROOT], 10),
    "not yet": (OURS.leaf("localhost", starts=DAY), [MIDDLE], [ROOT], 9),
    "wrong name": (OURS.leaf("elsewhere.example"), [MIDDLE], [ROOT], 62),
    "expired root": (
        issue("localhost", ("localhost",), EXPIRED_ROOT), [], [EXPIRED_ROOT], 10,
    ),
    "signed by a leaf": (
        issue("child", ("localhost",), localhost()), [localhost(), MIDDLE], [ROOT], 79,
    ),
}  # fmt: skip


def chain_of(leaf: Issued, below: list[Issued]) -> list[bytes]:
    return [leaf.der, *(each.der for each in below)]


@pytest.mark.parametrize(("leaf", "below", "store", "code"), CASES.values(), ids=CASES)
def test_verdicts(leaf: Issued, below: list[Issued], store: list[Issued], code: int) -> None:
    assert verify(chain_of(leaf, below), "localhost", trusting(*store)).code == code


@pytest.mark.parametrize(("leaf", "below", "store", "code"), CASES.values(), ids=CASES)
async def test_a_live_handshake_ends_the_same(
    leaf: Issued, below: list[Issued], store: list[Issued], code: int
) -> None:
    context = trusting(*store)
    presents = server_context(leaf, b"".join(each.pem for each in below))
    async with listening(lambda reader, _: until_closed(reader), context=presents) as server:
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=context, server_hostname="localhost"
            )
            writer.close()
            live = Verification(0)
        except ssl.SSLCertVerificationError as error:
            live = Verification(error.verify_code, error.verify_message)
    assert verify(chain_of(leaf, below), "localhost", context) == live


@pytest.mark.parametrize(("leaf", "below", "store", "code"), CASES.values(), ids=CASES)
def test_openssl_verify_says_the_same(
    leaf: Issued, below: list[Issued], store: list[Issued], code: int, tmp_path: Path
) -> None:
    files = {"leaf": leaf.pem, "below": b"".join(each.pem for each in below),
             "store": b"".join(each.pem for each in store)}  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "verify", "-no-CAfile", "-no-CApath", "-no-CAstore",
               "-purpose", "sslserver", "-verify_hostname", "localhost",
               "-CAfile", tmp_path / "store"]  # fmt: skip
    command += ["-untrusted", tmp_path / "below"] if below else []
    done = subprocess.run(
        [*command, tmp_path / "leaf"], capture_output=True, text=True, check=False
    )
    said = re.findall(r"^error (\d+) at", done.stderr, re.MULTILINE)
    assert (done.returncode == 0) == (code == 0)
    if code:
        assert str(code) in said, done.stderr


def test_a_weak_key_is_refused_as_by_a_live_client() -> None:
    weak = issue("w", ("localhost",), MIDDLE, key=rsa.generate_private_key(65537, 1024))
    found = verify(chain_of(weak, [MIDDLE]), "localhost", trusting(ROOT))
    assert (found.code, found.word) == (66, "weak key")


def test_words() -> None:
    assert verify(chain_of(localhost(), [MIDDLE]), "localhost", trusting(ROOT)).word == "trusted"
    assert Verification(20).word == "issuer unknown"
    assert Verification(4711).word == "not trusted"


def test_a_long_chain_needs_several_records() -> None:
    chain = [*chain_of(localhost(), [MIDDLE]), *[ROOT.der] * 120]
    assert sum(map(len, chain)) > 2 * 16384
    assert verify(chain, "localhost", trusting(ROOT)).ok


@given(st.lists(st.binary(max_size=60), max_size=3), st.integers(0, 700), st.binary(max_size=8))
def test_any_chain_gets_a_verdict(junk: list[bytes], at: int, noise: bytes) -> None:
    context = trusting(ROOT)
    assert not verify(junk, "localhost", context).ok
    der = localhost().der
    damaged = der[:at] + noise + der[at + len(noise) :]
    found = verify([damaged, MIDDLE.der, *junk], "localhost", context)
    assert found.ok or found.code != 0
    if damaged != der:
        assert not found.ok


def test_a_chain_that_no_message_can_hold_gets_a_verdict() -> None:
    found = verify([bytes(2**24)], "localhost", trusting(authority().root))
    assert (found.code, found.ok) == (-1, False)
