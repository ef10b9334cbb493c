"""Messages that mean no fault of the catalogue, with a note on each."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern, sign_in_code

# Endpoints of az's clouds that only public Azure has.
NOT_ON_STAMPS = (
    "microsoft_graph|sql_management|batch|active_directory_data_lake|media|ossrdbms|log_analytics"
    "|app_insights|synapse|attestation"
)

NO_FAULT: tuple[MessagePattern, ...] = (
    MessagePattern(
        "az is not signed in",
        r"please run '?az login|(?:set ?up|log-?in with) .{0,9}(?:account|az login)"
        r"|run (?:connect-az|login-azurerm)account|no account found in the context"
        r"|does not exist in msal token cache|can't find token from msal cache",
        note="The client is not signed in: what it said before that line tells why. `stacktui "
        "check` signs in anew.",
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
    MessagePattern(
        "the client asked az",
        r"from the azure cli: |running azure cli: exit status|waiting for the azure cli",
        note="The client took its token from az, which failed: `az account get-access-token` says "
        "why.",
    ),
    MessagePattern(
        "already registered",
        r"cloud '?.{1,60} (?:is )?already registered",
        note="az knows a cloud of that name: `az cloud update` changes it.",
    ),
    MessagePattern(
        "quota",
        r"exceed\w{0,3} (?:approved |the )?\w{0,10} ?quota|quotaexceeded|quota limits",
        note="The connection is well: the offer's quota is used up (cores, storage, addresses). "
        "Free some, or ask the stamp's operator for another quota.",
    ),
    MessagePattern(
        "an endpoint that no stamp has",
        rf"the endpoint '?(?:{NOT_ON_STAMPS})\w{{0,30}}'? for this cloud is not set",
        note="A stamp has no such endpoint: this command of az is for public Azure. `az role` and "
        "`az ad` need Microsoft Graph and cannot work on a stamp: grant a role in its portal, or "
        "with `stacktui identities grant`.",
    ),
    MessagePattern(
        "Terraform's environment",
        r"unable to locate metadata for environment|environment \S{1,60} was not found in the meta",
        note="The stamp's metadata was read, and has no cloud of the name under environment "
        "(ARM_ENVIRONMENT): take a name that GET /metadata/endpoints?api-version=2020-06-01 gives.",
    ),
    MessagePattern(
        "revocation",
        r"crypt_e_no_revocation_check|crypt_e_revocation_offline|0x8009201[23]|revocation_status"
        r"|unable to get certificate crl|unable to check revocation"
        r"|revocation server was offline|revocationstatusunknown",
        note="Windows could not check whether the certificate is revoked: the list (CRL) cannot be "
        "fetched from here, or a gateway opens TLS and its certificates name none. az, and "
        "stacktui, do not ask for revocation; curl does not with --ssl-no-revoke.",
    ),
    MessagePattern(
        "InvalidResourceNamespace",
        r"resource namespace '?(?!\S{1,90}\.admin\b)\S{1,90} is invalid",
        note="InvalidResourceNamespace: the connection is well, and the stamp has no such resource "
        "provider: `stacktui providers` lists those that it has.",
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
