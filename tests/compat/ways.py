"""Every way to sign in without a person that real clients and we have, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from stacktui.stamp import IdentityProvider, runtime
from stacktui.stamp.pki import _issue
from stacktui.stamp.running import RunningStamp
from tests.identities.sign_ins import protected

WRONG = "wr0ng~secret/with+signs="
PASSWORD = "pfx-passw0rd"
# The verdict on a certificate that we do not even send: a client may, and is refused.
UNSENT = "sp-cert-unusable"
# The stamps to meet them all on; a fault is met by whoever signs in as the one it is of.
STAMPS = (
    (IdentityProvider.AAD, None),
    (IdentityProvider.ADFS, None),
    (IdentityProvider.AAD, "sp-secret-expired"),
    (IdentityProvider.AAD, "account-disabled"),
)


@dataclass(frozen=True, slots=True)
class Way:
    """An identity of the config, and the same for az: None where az has no such way.

    `verdict` is ours, empty where it signs in; `code` is what the sign-in service says to all that
    ask it.
    """

    name: str
    keys: str
    az: tuple[str, ...] | None
    verdict: str = ""
    code: str = ""

    @property
    def table(self) -> str:
        return f"[identities.{self.name}]\n{self.keys}\n"


def ways(stamp: RunningStamp, folder: Path) -> list[Way]:
    """Return the ways of a stamp, those that are refused first: a client may keep a token."""
    made = _Maker(stamp, folder)
    if stamp.fault == "sp-secret-expired":
        return [made.secret("expired-secret", refused=("sp-secret-expired", "AADSTS7000222"))]
    if stamp.fault == "account-disabled":
        return [made.user("disabled-user", refused=("account-disabled", "AADSTS50057"))]
    return [*made.refused(), *made.signed_in()]


@dataclass(frozen=True, slots=True)
class _Maker:
    stamp: RunningStamp
    folder: Path

    def refused(self) -> Iterator[Way]:
        entra = self.stamp.idp is IdentityProvider.AAD

        def said(verdict: str, entras: str, adfs: str) -> tuple[str, str]:
            return verdict, f"AADSTS{entras}" if entra else f"MSIS{adfs}"

        wrong = self._file("wrong", WRONG.encode())
        yield self.secret("wrong-secret", wrong, refused=said("sp-secret-wrong", "7000215", "9622"))
        yield self.secret(
            "unknown-app", client_id=str(uuid4()), refused=said("app-not-found", "700016", "9607")
        )
        if entra:  # AD FS has no tenants
            yield self.secret(
                "wrong-tenant", tenant=str(uuid4()), refused=("tenant-not-found", "AADSTS90002")
            )
        key = runtime.make_key()
        for name, ends in (("unknown", 9), ("expired", -1)):
            made = _issue("other", key, None, (timedelta(days=-30), timedelta(days=ends)))
            path = self._file(f"{name}.pem", made.key_pem() + made.certificate_pem())
            verdict = "sp-cert-rejected" if name == "unknown" else UNSENT
            yield self.certificate(
                f"{name}-certificate", path, refused=said(verdict, "700027", "9622")
            )
        yield self.certificate("no-certificate", wrong, refused=(UNSENT, ""))
        yield self.certificate("wrong-pfx-password", *self._locked("pfx", wrong),
                               refused=(UNSENT, ""))  # fmt: skip
        yield self.user("wrong-password", wrong, refused=said("password-wrong", "50126", "9659"))
        yield self.user("unknown-user", user="nobody@contoso.invalid",
                        refused=said("password-wrong", "50034", "9659"))  # fmt: skip
        yield self.machine("unknown-machine", str(uuid4()), refused=("imds-no-identity", ""))

    def signed_in(self) -> Iterator[Way]:
        yield self.secret("secret")
        yield self.certificate("certificate", Path(self.stamp.certificate_file))
        for form in ("encrypted", "pfx"):
            yield self.certificate(form, *self._locked(form, self._file("p", PASSWORD.encode())))
        yield self.user("user")
        yield self.machine("machine", self.stamp.imds_client_id)

    def secret(
        self,
        name: str,
        file: Path | None = None,
        *,
        client_id: str = "",
        tenant: str = "",
        refused: tuple[str, str] = ("", ""),
    ) -> Way:
        file = file or Path(self.stamp.secret_file)
        keys = f'secret = {{ file = "{file}" }}'
        return self._principal(name, keys, ("-p", file.read_text()), refused, client_id, tenant)

    def certificate(
        self,
        name: str,
        file: Path,
        password: Path | None = None,
        refused: tuple[str, str] = ("", ""),
    ) -> Way:
        keys = f'certificate = "{file}"'
        if password is None:
            return self._principal(name, keys, ("--certificate", str(file)), refused)
        keys += f'\ncertificate_password = {{ file = "{password}" }}'
        return self._principal(name, keys, None, refused)  # az takes no password for it

    def user(
        self,
        name: str,
        file: Path | None = None,
        *,
        user: str = "",
        refused: tuple[str, str] = ("", ""),
    ) -> Way:
        file, user = file or Path(self.stamp.password_file), user or self.stamp.user
        keys = (
            f'kind = "user"\nusername = "{user}"\ntenant = "{self.stamp.tenant}"\n'
            f'password = {{ file = "{file}" }}'
        )
        az = ("-u", user, "-p", file.read_text(), "--tenant", self.stamp.tenant)
        return Way(name, keys, az, *refused)

    def machine(self, name: str, client_id: str, refused: tuple[str, str] = ("", "")) -> Way:
        """An az 2.66 asks the address of a real VM alone."""
        keys = f'kind = "managed-identity"\nclient_id = "{client_id}"'
        return Way(name, keys, None, *refused)

    def _principal(
        self,
        name: str,
        keys: str,
        az: tuple[str, ...] | None,
        refused: tuple[str, str],
        client_id: str = "",
        tenant: str = "",
    ) -> Way:
        client_id, tenant = client_id or self.stamp.client_id, tenant or self.stamp.tenant
        keys = f'kind = "service-principal"\nclient_id = "{client_id}"\ntenant = "{tenant}"\n{keys}'
        who = ("--service-principal", "-u", client_id, "--tenant", tenant)
        return Way(name, keys, az and (*who, *az), *refused)

    def _locked(self, form: str, password: Path) -> tuple[Path, Path]:
        content = protected(Path(self.stamp.certificate_file), form, PASSWORD)
        return self._file(f"locked.{form}", content), password

    def _file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.touch(0o600)
        path.write_bytes(content)
        return path
