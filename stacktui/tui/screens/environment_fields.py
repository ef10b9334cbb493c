"""The fields of an environment's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stacktui.check.settings import Settings
from stacktui.environments.config import TEXTS, setting_problem
from stacktui.environments.pasted_url import propose_name, read_pasted_url
from stacktui.environments.profiles import DEFAULT_PROFILE, DETECT, PROFILES
from stacktui.transport.proxy import without_credentials
from stacktui.tui.widgets.fields import YES, Field

if TYPE_CHECKING:
    from stacktui.check.registration import Discovery
    from stacktui.identities.model import Identity

PROFILE_CHOICES = {each.name: f"{each.name}  ({each.builds})" for each in PROFILES.values()} | {
    DETECT: f"{DETECT}  (saving asks the stamp)"
}


def environment_fields(
    settings: Settings,
    table: Mapping[str, object],
    *,
    edited: bool,
    proposed: str,
    wrong_name: Callable[[str], str],
) -> list[Field]:
    """Return the fields, with the values of an environment's `table`; one that is `edited` keeps
    its name. `wrong_name` returns what is wrong with a name."""
    path = settings.path
    text = {key: str(table.get(key, "")) for key in TEXTS}
    profile, identity = text["profile"] or DEFAULT_PROFILE, text["identity"]
    profiles = dict(PROFILE_CHOICES)
    identities = {"": "none: only metadata is checked"} | {
        each.name: f"{each.name}  ({each.kind.words})" for each in settings.identities.values()
    }
    for choices, value in ((profiles, profile), (identities, identity)):
        choices.setdefault(value, f"{value}  (unknown)")

    def problem(key: str) -> Callable[[str], str]:
        return lambda value: "" if value == DETECT else setting_problem(path, key, value)

    name = Field("name", "Name", "proposed from the URL", proposed,
                 required=True, problem=wrong_name)  # fmt: skip
    added = [
        Field("active", "Active", "what stacktui check takes without a name",
              "" if settings.active else YES, flag=True),
        # Shown once the other endpoint of the stamp has answered.
        Field("both", "Both", "users' and operators' endpoint", flag=True),
    ]  # fmt: skip
    return [
        Field("arm", "ARM URL", "https://management.<region>.<fqdn>", text["arm"],
              required=True, problem=arm_problem),
        *([] if edited else [name]),
        Field("ca", "CA file", "only for a private root: PEM, .cer or .p7b", text["ca"]),
        Field("proxy", "Proxy", "a URL, or none; else from the environment variables",
              without_credentials(text["proxy"]), problem=problem("proxy")),
        Field("identity", "Identity", "", identity, _choices(identities),
              problem=lambda value: "" if value in settings.identities else "is not there"),
        Field("profile", "Profile", "", profile, _choices(profiles), problem=problem("profile")),
        Field("subscription", "Subscription", "an id; else the first enabled one",
              text["subscription"], problem=problem("subscription")),
        Field("vm_image_aliases", "VM aliases", "the URL of az's aliases for VM images",
              text["vm_image_aliases"], problem=problem("vm_image_aliases")),
        *([] if edited else added),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offers:
    """What a form offers besides, once the stamp was asked: `found` is None until then."""

    found: Discovery | None
    settings: Settings
    identity: Identity | None
    is_new: bool

    @property
    def without_tenant(self) -> Discovery | None:
        """What was found, with the identity, where that needs the stamp's tenant; else None."""
        if self.found is None:
            return None
        target = replace(self.found.target, identity=self.identity)
        found = replace(self.found, target=target)
        return found if found.missing_tenant else None

    @property
    def sibling(self) -> str:
        """The ARM URL of the stamp's other endpoint, if it answers and is in no environment."""
        sibling = self.found.sibling if self.found is not None and self.is_new else ""
        return "" if sibling in (each.arm for each in self.settings.environments.values()) else (
            sibling
        )  # fmt: skip

    def name(self, first: str) -> str:
        """Return the name of the other endpoint's environment, beside that of the first."""
        return propose_name(self.sibling, (*self.settings.names, first))

    def remarks(self, first: str) -> dict[str, str]:
        """Return what to say of it below the fields."""
        found = {}
        if (known := self.without_tenant) is not None:
            found["identity"] = f"saved with the stamp's tenant: {known.missing_tenant}"
        if self.sibling:
            host = self.sibling.partition("://")[2]
            found["both"] = f"{host} answers too: as {self.name(first)}"
        return found


def arm_problem(text: str) -> str:
    try:
        read_pasted_url(text)
    except ValueError as error:
        return str(error)
    return ""


def _choices(texts: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(text, value) for value, text in texts.items()]
