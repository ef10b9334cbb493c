"""An identity of every kind on a stamp, as its config has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stacktui.errors import StacktuiError
from stacktui.stamp import SignInKind
from stacktui.stamp.running import RunningStamp
from tests.identities import sign_ins
from tests.product import imds_of, signing_in, write_config
from tests.support.azure import answering_az, registered_cloud

PFX_PASSWORD = 'pfx-passw0rd+of=ops&"<%'
WRONG = 'wr0ng~secret/with+signs="&%'
# How an identity signs in, and the stamp's word for it.
KINDS = {
    "secret": SignInKind.SECRET,
    "variable": SignInKind.SECRET,
    "wrong": SignInKind.SECRET,
    "pem": SignInKind.CERTIFICATE,
    "encrypted": SignInKind.CERTIFICATE,
    "pfx": SignInKind.CERTIFICATE,
    "user": SignInKind.PASSWORD,
    "device-code": SignInKind.DEVICE_CODE,
    "managed-identity": SignInKind.MANAGED_IDENTITY,
    "azure-cli": None,
}


@dataclass(frozen=True, slots=True)
class OfKind:
    """A config whose identity `tester` is of a kind, and the variables that it needs.

    `secret_files` hold a secret by their purpose.
    """

    config: Path
    variables: Mapping[str, str]
    secret_files: tuple[Path, ...]


def identity_of_kind(kind: str, stamp: RunningStamp, folder: Path, **replaced: str) -> OfKind:
    """Write all that an identity of this kind needs into an empty folder."""
    described, file, by = stamp.describe(), folder / "sp.file", KINDS[kind]
    replaced = signing_in(by or SignInKind.SECRET, described, **replaced)
    variables, secret_files = imds_of(described), (*stamp.folder.iterdir(), file)
    match kind:
        case "variable":
            replaced["secret"] = '{ env = "SECRET_OF_OPS" }'
            variables["SECRET_OF_OPS"] = stamp.secret
        case "wrong":
            replaced["secret"] = '{ env = "WRONG" }'
            variables["WRONG"] = WRONG
        case "encrypted" | "pfx":
            usable = Path(stamp.certificate_file)
            if b"PRIVATE" in usable.read_bytes():
                file.write_bytes(sign_ins.protected(usable, kind, PFX_PASSWORD))
            replaced["certificate"] = f'"{file}"'
            replaced["certificate_password"] = '{ env = "PFX_PASSWORD" }'
            variables["PFX_PASSWORD"] = PFX_PASSWORD
        case "azure-cli":
            empty = ("secret", "client_id", "tenant")
            replaced |= {"kind": '"azure-cli"', **dict.fromkeys(empty, "")}
            az = _put_az(stamp, folder)
            variables |= {"AZURE_CONFIG_DIR": str(az), "PATH": f"{az}:/usr/bin:/bin"}
            # sshd takes LC_* over from its client, and so they are used for secrets.
            variables |= {"LC_SECRET_OF_OPS": stamp.secret, "XDG_SECRET_OF_OPS": stamp.password}
            secret_files = (*secret_files, az / "said")
    return OfKind(write_config(folder, described, **replaced), variables, secret_files)


def _put_az(stamp: RunningStamp, folder: Path) -> Path:
    """An `az` that prints a token, on stderr too, or what it was refused.

    It keeps its arguments and variables in files. Returns its folder and configuration.
    """
    az = folder / "az"
    registered_cloud(az, stamp.arm_url, stamp.login_url, stamp.identity_provider_audience)
    try:
        token, _ = asyncio.run(sign_ins.sign_in(stamp, sign_ins.identity_of(stamp)))
        said, code = json.dumps({"accessToken": token.value}), 0
    except StacktuiError:
        said, code = "ERROR: AADSTS7000215: Invalid client secret provided.", 1
    answering_az(az, f"cat {az}/said; cat {az}/said >&2; exit {code}")
    (az / "said").write_text(said)
    return az
