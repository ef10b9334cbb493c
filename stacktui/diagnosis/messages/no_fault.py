"""Messages that mean no fault of the catalogue, with a note on each."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code

NO_FAULT: tuple[MessagePattern, ...] = (
    MessagePattern(
        "az is not signed in",
        r"please run '?az login|setup account",
        note="az holds no token: what it said before that line tells why. `stacktui check` signs "
        "in anew.",
    ),
    MessagePattern(
        "not for a stamp",
        r"az interactive|az vm image list",
        note="On a stamp, `az interactive` does not work, and `az vm image list` only with --all.",
    ),
    MessagePattern(
        "AADSTS50049",
        sign_in_code("AADSTS50049").regex,
        code="AADSTS50049",
        note="For a stamp with a login host of its own, az must not ask a public one about it: "
        "`az config set core.instance_discovery=false`. stacktui never asks.",
    ),
    MessagePattern(
        "ResourceGroupNotFound",
        r"resourcegroupnotfound|resource group .{1,90}could not be found",
        note="ResourceGroupNotFound: the connection is well, and there is no group of that name in "
        "this subscription: `az group list -o table`.",
    ),
    MessagePattern(
        "ResourceGroupBeingDeleted",
        r"resourcegroupbeingdeleted",
        note="ResourceGroupBeingDeleted: the connection is well; wait until the group is gone, or "
        "take another name.",
    ),
    MessagePattern(
        "LocationNotAvailableForResourceGroup",
        r"locationnotavailable",
        note="LocationNotAvailableForResourceGroup: a stamp has one location, the region in its "
        "host names: `az account list-locations`.",
    ),
)
# Notes on codes of sign-in services that the catalogue does not have, by their prefix. `{code}` and
# its `{number}` are filled in.
LOOK_UP_ENTRA = (
    "From a machine with internet, https://login.microsoftonline.com/error?code={number} tells "
    "what number {number} means"
)
LOOK_UP_ADFS = (
    "The event log of the AD FS servers (AD FS/Admin) has it at that time, with the reason"
)
UNKNOWN_CODES = {
    "AADSTS": f"The catalogue does not have this code of Entra's: {{code}}. {LOOK_UP_ENTRA}.",
    "MSIS": f"The catalogue does not have this code of AD FS's: {{code}}. {LOOK_UP_ADFS}.",
}
