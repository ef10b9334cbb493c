"""The command lines that repeat a request: `curl`, and `az rest` for those to ARM.

Secrets are variables of the shell, `$TOKEN` the token; bash and PowerShell expand them alike.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping

from stacktui.text.shell import bash, for_az, powershell
from stacktui.transport.records import Exchange, SentRequest

Quote = Callable[[str], str]
# The file that whoever repeats a request puts its body into, where that is not shown.
BODY = "@BODY"
# Why there is no proxy, where curl finds none by itself either.
_BY_VARIABLES = frozenset({"NO_PROXY", "no proxy set"})
# How the token of the lines is got; AUDIENCE is what the `az rest` line names.
TOKEN_LINES = {
    "bash": "TOKEN=$(az account get-access-token --resource AUDIENCE --query accessToken -o tsv)",
    "powershell": "$TOKEN = az account get-access-token --resource AUDIENCE "
    "--query accessToken -o tsv",
}


def curl_options(
    quote: Quote,
    *,
    ca: str = "",
    direct: bool = False,
    proxy: str | None = None,
    pinned: str | None = None,
) -> list[str]:
    """Return the options by which curl reaches a host as we do: CA, proxy and pin.

    `direct` is for no proxy, whatever the variables say.
    """
    option = "--capath" if ca.endswith(os.sep) else "--cacert"
    words = [f"{option} {quote(ca)}"] if ca else []
    if direct:
        words.append("--noproxy '*'")
    elif proxy:
        words.append(f"--proxy {quote(proxy)}")
    if pinned:
        words.append(f"--connect-to {quote('::' + pinned)}")
    return words


def ca_note(exchange: Exchange) -> str:
    """Return what the curl line needs besides, where no one file has what we trusted."""
    if (sent := exchange.sent) is None or sent.local or len(sent.ca) < 2:
        return ""
    return f"curl reads one file of CAs: add --cacert with all of {', '.join(sent.ca)}"


def command_lines(exchange: Exchange) -> tuple[Mapping[str, str], ...]:
    """Return the lines that repeat a request, each by shell: `bash`, `powershell`.

    The `az rest` line of a request to ARM, where az itself gets the token, and the curl line. A
    line is empty for a shell that cannot have it.
    """
    if (sent := exchange.sent) is None:
        return ()
    in_bash = f"curl {' '.join(_curl(exchange, sent, bash))}"
    in_powershell = f"curl.exe {' '.join(_curl(exchange, sent, powershell))}"
    if sent.document:
        # Before 7.3, PowerShell drops the double quotes of an argument.
        in_powershell = f"{powershell(sent.document)} | {in_powershell}"
    curl = {"bash": in_bash, "powershell": in_powershell}
    return (_az_rest(exchange.method, sent), curl) if sent.bearer else (curl,)


def _az_rest(method: str, sent: SentRequest) -> Mapping[str, str]:
    def command(quote: Quote) -> str:
        words = ["az rest --method", quote(method.lower()), "--url", quote(sent.url)]
        if sent.audience:
            words += ["--resource", quote(sent.audience)]
        if sent.document or sent.withheld:
            words += ["--body", quote(sent.document or BODY)]
        return " ".join(words)

    in_bash, in_powershell = for_az(command)
    return {"bash": in_bash, "powershell": in_powershell}


def _curl(exchange: Exchange, sent: SentRequest, quote: Quote) -> Iterator[str]:
    """Yield the words after the program's name."""
    method, connection = exchange.method, exchange.connection
    has_body = bool(sent.form or sent.document or sent.withheld)
    yield "-sS -g"  # -g: curl must not expand a URL that the server may have chosen
    if method != ("POST" if has_body else "GET"):
        yield f"-X {quote(method)}"
    if sent.bearer:
        yield '-H "Authorization: Bearer $TOKEN"'
    if sent.local:
        yield "-H 'Metadata: true'"
    if connection is not None:
        proxy = connection.proxy
        yield from curl_options(
            quote,
            ca=sent.ca[0] if len(sent.ca) == 1 and not sent.local else "",
            direct=proxy.url is None and proxy.source not in _BY_VARIABLES,
            proxy=proxy.url,
            pinned=connection.pinned,
        )
    for name, value in sent.form:
        if value is None:
            plain = re.sub(r"\W", "_", name, flags=re.ASCII)
            yield f'--data-urlencode "{plain}=${plain.upper()}"'
        else:
            yield f"--data-urlencode {quote(f'{name}={value}')}"
    if sent.document or sent.withheld:
        yield f"-H {quote(f'Content-Type: {sent.content_type}')}"
        in_pipe = sent.document and quote is powershell
        yield f"--data-binary {quote('@-' if in_pipe else sent.document or BODY)}"
    yield quote(sent.url)
