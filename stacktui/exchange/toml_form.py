"""The form of stacktui's own config: the tables of an environment and of its identity."""

from __future__ import annotations

from collections.abc import Iterator

from stacktui.exchange.connection import Connection
from stacktui.identities.config import reference_of
from stacktui.identities.model import CertificateRef, Identity
from stacktui.text.shell import toml, toml_table
from stacktui.transport.limits import LIMIT_SETTINGS, Limits
from stacktui.transport.proxy import without_credentials


def render(connection: Connection) -> str:
    """Return the tables. Secrets stay references, and a proxy has no password in it."""
    environment = connection.environment
    lines = [toml_table("environments", environment.name), f"arm = {toml(environment.arm)}"]
    texts = {
        "profile": environment.profile,
        "identity": environment.identity,
        "subscription": environment.subscription,
        "ca": environment.ca and str(environment.ca),
        "proxy": environment.proxy and without_credentials(environment.proxy),
        "vm_image_aliases": environment.vm_image_aliases,
    }
    lines += [f"{key} = {toml(value)}" for key, value in texts.items() if value]
    for key, pairs in (("resolve", environment.resolve), ("endpoints", environment.endpoints)):
        if pairs:
            inner = ", ".join(f"{toml(name)} = {toml(value)}" for name, value in pairs.items())
            lines.append(f"{key} = {{ {inner} }}")
    limits = {name: getattr(environment.limits, name) for name in LIMIT_SETTINGS}
    own = [f"{n} = {value:g}" for n, value in limits.items() if value != getattr(Limits(), n)]
    if own:
        lines.append(f"limits = {{ {', '.join(own)} }}")
    if connection.identity is not None:
        lines += ["", *_identity(connection.identity)]
    return "\n".join([*lines, ""])


def _identity(identity: Identity) -> Iterator[str]:
    yield toml_table("identities", identity.name)
    yield f"kind = {toml(identity.kind)}"
    for key in ("tenant", "client_id", "username", "object_id", "resource_id"):
        if value := getattr(identity, key):
            yield f"{key} = {toml(value)}"
    if isinstance(identity.credential, CertificateRef):
        yield f"certificate = {toml(str(identity.credential.path))}"
    if identity.secret is not None:
        ((kind, value),) = reference_of(identity.secret).items()
        text = toml(value) if isinstance(value, str) else "true"
        yield f"{identity.secret_key} = {{ {kind} = {text} }}"
