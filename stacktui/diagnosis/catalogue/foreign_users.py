"""A user of another directory than the one that was asked: a cause of `tenant-not-found`."""

from __future__ import annotations

from stacktui.diagnosis.context import FailureContext
from stacktui.diagnosis.fault import Explanation
from stacktui.diagnosis.finding import Remedy, Side
from stacktui.diagnosis.refused_user import (
    AZ_DEVICE_CODE,
    by_device_code,
    fill_device_code,
    refused_user_lines,
    who,
)
from stacktui.diagnosis.remedy_template import RemedyTemplate, by_az
from stacktui.diagnosis.sign_in_facts import section_of
from stacktui.identities.faults import SignInFault
from stacktui.identities.model import Identity
from stacktui.text.shell import toml

# Entra's codes for a user who is in the directory neither as a member nor as a guest.
FOREIGN_USER = frozenset({"AADSTS50020", "AADSTS90072"})
_SIGN_IN_AT_HOME = RemedyTemplate(
    "If the user's own directory may use this stamp, name that under {identity}: tenant = {tenant}",
    shown={"identity": "the identity", "tenant": '"HOME-TENANT"'},
)
_AZ_SIGN_IN_AT_HOME = by_az(
    "The same with az, where the stamp is its active cloud",
    "az login --use-device-code --tenant {tenant}",
    tenant="HOME-TENANT",
)
_INVITE = RemedyTemplate(
    "Else an administrator of the directory {asked} invites {who} as a guest, or makes an account "
    "there",
    shown={"asked": "that was asked", "who": "the user"},
)
_GUEST_NEEDS_BROWSER = by_device_code("A guest signs in with a browser alone")
FOREIGN_USER_REMEDIES = (
    _SIGN_IN_AT_HOME,
    _AZ_SIGN_IN_AT_HOME,
    _INVITE,
    _GUEST_NEEDS_BROWSER,
    AZ_DEVICE_CODE,
)


def foreign_user(failure: FailureContext, fault: SignInFault, identity: Identity) -> Explanation:
    """Explain Entra's refusal of a user of another directory."""
    asked = fault.authority.rpartition("/")[2]
    # A domain of a directory is as good a name of it as its id.
    home = identity.username.partition("@")[2]
    remedies: list[Remedy] = []
    if home.lower() != asked.lower():
        example = toml(home) if home else '"the id or domain of that directory"'
        remedies.append(_SIGN_IN_AT_HOME.fill(identity=section_of(identity), tenant=example))
    if home and remedies:
        remedies.append(_AZ_SIGN_IN_AT_HOME.fill(tenant=home))
    remedies.append(_INVITE.fill(asked=asked, who=who(identity)))
    remedies += fill_device_code(_GUEST_NEEDS_BROWSER, failure, identity)
    title = f"{who(identity)} is of another directory than {asked}, which was asked"
    lines = refused_user_lines(failure, (fault, identity))
    asked_for = f"asked for the tenant {asked} at {fault.authority}"
    return Explanation(title, (asked_for, *lines), tuple(remedies), Side.SIGN_IN)
