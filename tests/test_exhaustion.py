"""A machine without a free descriptor, or without memory, is no fault of a file."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from stacktui.config.locations import additions_file, stamps_file
from stacktui.stamp.running import RunningStamp
from tests.product import PATIENCE, write_config
from tests.support.azure import installed_az
from tests.support.deployment import good, pfx_file
from tests.support.python_environments import python_environment

# Calls each reader of a user's files, which all are healthy, while no descriptor is free.
_WITHOUT_DESCRIPTORS = """
import json, os, resource, sys
from datetime import UTC, datetime
from pathlib import Path
import certifi
from stacktui.azure_cli import installations
from stacktui.certificates import additions, bundle, file_repair, files, key_bundle, stores, trust
from stacktui.check.target import config_of
from stacktui.check.settings import load_settings
from stacktui.environments.record import read_record
from stacktui.errors import is_exhaustion
from stacktui.identities import credential, secrets
from stacktui.identities.model import CertificateRef, FileSecret
from stacktui.python_clients.packages import find_environments

config, pem, pfx, folder, az, python = map(Path, sys.argv[1:])
now = datetime.now(UTC)
target = load_settings(config).target()
certifi_file = trust.TrustSource("certifi", certifi.where())
store = stores.Store(stores.StoreKind.CERTIFI, "certifi", (certifi_file,))
hashed = stores.Store(
    stores.StoreKind.SSL_DIR, "SSL_CERT_DIR", (trust.TrustSource("SSL_CERT_DIR", str(folder)),)
)
readers = {
    "config": lambda: load_settings(config),
    "record": lambda: read_record(config_of(target), target.environment),
    "secret": lambda: secrets.resolve_secret(FileSecret(pem)),
    "identity": lambda: credential.load_certificate(CertificateRef(pem), now),
    "certificates": lambda: file_repair.read_certificates(pem),
    "key": lambda: key_bundle.read_client_bundle(pem, lambda _form: None),
    "pfx": lambda: key_bundle.read_key_bundle(pfx, lambda form: None),
    "context": lambda: trust.build_context(trust.TrustUsed((certifi_file,))),
    "store": lambda: stores.store_context(store),
    "content": lambda: stores.read_stores((store,), now),
    "folder": lambda: stores.read_stores((hashed,), now),
    "bundle": lambda: bundle.plan_removal(pem, ["00"]),
    "additions": additions.lost_additions,
    "clients": lambda: find_environments([python]),
    "az": lambda: installations.find_azure_clis((str(az),), ask=False),
}
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
found = {}
for name, read in readers.items():
    taken = []
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        pass
    try:
        found[name] = f"no error: {read()}"
    except BaseException as error:
        found[name] = "exhausted" if is_exhaustion(error) else repr(error)
    finally:
        for each in taken:
            os.close(each)
print(json.dumps(found))
"""


def _run(code: str, *arguments: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout


def test_without_a_descriptor_no_file_is_at_fault(
    entra_stamp: RunningStamp, tmp_path: Path
) -> None:
    stamp = entra_stamp.describe()
    config = write_config(tmp_path, stamp)
    pfx = pfx_file(tmp_path / "good.pfx", good())
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / "01234567.0").write_bytes(Path(stamp["ca_file"]).read_bytes())
    az = installed_az(tmp_path / "az", "2.66.0")
    for path in (additions_file(), stamps_file()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"version": 1, "additions": [], "stamps": {}}', encoding="utf-8")
    python = python_environment(tmp_path / "venv", "azure_core-1.41.0")
    found = json.loads(
        _run(_WITHOUT_DESCRIPTORS, config, stamp["certificate_file"], pfx, folder, az, python)
    )
    assert found == dict.fromkeys(found, "exhausted")


# Loads certifi's bundle with so many KiB of memory to spare.
_WITHOUT_MEMORY = """
import os, resource, sys
import certifi
from stacktui.certificates.trust import TrustSource, TrustUsed, build_context
from stacktui.errors import is_exhaustion

used = TrustUsed((TrustSource("certifi", certifi.where()),))
for spare in map(int, sys.argv[1:]):
    if (child := os.fork()) == 0:
        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + spare * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            build_context(used)
            os.write(1, b"loaded ")
        except BaseException as error:
            os.write(1, b"exhausted " if is_exhaustion(error) else repr(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_without_memory_no_bundle_is_at_fault() -> None:
    found = _run(_WITHOUT_MEMORY, *range(0, 2048, 64), 64 * 1024).split()
    assert set(found) == {"exhausted", "loaded"}
    assert (found[0], found[-1]) == ("exhausted", "loaded")


@pytest.mark.parametrize("descriptors", [5, 6, 7, 8])
def test_a_check_without_descriptors_gives_no_verdict_on_a_file(
    entra_stamp: RunningStamp, tmp_path: Path, descriptors: int
) -> None:
    config = write_config(tmp_path, entra_stamp.describe())
    command = [sys.executable, "-m", "stacktui", "check", "--config", str(config)]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE, preexec_fn=limit
    )
    said = done.stdout + done.stderr
    assert "trust-file-" not in said
    assert "cannot be read" not in said
