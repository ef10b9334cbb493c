"""Messages of az about the metadata that several faults share."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern

METADATA_UNREAD = MessagePattern(
    "az could not read the metadata",
    r"unable to get endpoints from the cloud",
    note="az says this of DNS, TCP, proxy and TLS alike: what follows it, after “Error "
    "detail:” or “status code”, tells them apart. Paste the whole message. "
    "AZURE_CLI_DISABLE_CONNECTION_VERIFICATION=1 cures none of it: `az cloud register` verifies "
    "all the same.",
)

# What asks a host for its metadata: the path, or the command of PowerShell or Terraform that does.
METADATA_PATH = r"/metadata/endpoints|add-az\w{0,6}environment|retrieving environment from endpoint"

METADATA_400 = MessagePattern(
    "the metadata was answered with 400", r"server returned status code 400"
)

METADATA_401_OR_403 = MessagePattern(
    "the metadata was answered with 401 or 403", r"server returned status code 40[13]"
)

METADATA_REDIRECTED = MessagePattern(
    "the metadata was answered with a redirect",
    r"server returned status code 3\d\d|exceeded 30 redirects|toomanyredirects",
)

METADATA_NO_JSON = MessagePattern(
    "the metadata is no JSON", r"response body does not contain valid json"
)

METADATA_IS_A_PAGE = MessagePattern(
    "the metadata is no JSON from its first character on: a page, or nothing",
    f"{METADATA_NO_JSON.regex}|{METADATA_PATH}",
    also=r"expecting value: line \d{1,3} column 1 \(|character '<' looking for"
    r"|unexpected character encountered|unexpected token '?<",
)

SOMETHING_MISSING = MessagePattern(
    "something that az expects is not there",
    r"'nonetype' object (?:is not|has no)|indexerror: list index",
)

METADATA_CONNECTION_RESET = MessagePattern(
    "the connection was reset while the metadata was fetched",
    METADATA_UNREAD.regex + r"|/metadata/endpoints",
    also=r"connection reset\b|connectionreseterror|econnreset|forcibly closed",
)
