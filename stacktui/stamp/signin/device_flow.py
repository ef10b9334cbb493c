"""The device authorization endpoint and the verification page (RFC 8628)."""

from __future__ import annotations

from html import escape

from stacktui.stamp.identity_provider import IdentityProvider
from stacktui.stamp.messages import Request, Response, html_page, json_response
from stacktui.stamp.oauth_errors import WORDINGS, OAuthError
from stacktui.stamp.signin.credentials import authenticate_user
from stacktui.stamp.signin.device_codes import Decision
from stacktui.stamp.signin.grants import check_tenant, parse_scope, public_client
from stacktui.stamp.signin.service import TokenService

TITLE = "Sign in to your account"
FORM = (
    '<form method="post">'
    '<label>Code <input name="user_code"></label>'
    '<label>User <input name="username"></label>'
    '<label>Password <input name="password" type="password"></label>'
    '<button name="action" value="approve">Sign in</button>'
    '<button name="action" value="decline">Cancel</button></form>'
)


def device_code(service: TokenService, request: Request, tenant: str) -> Response:
    """Issue a device code (RFC 8628 section 3.2), with the provider's extra fields."""
    if service.error:
        raise OAuthError(service.error)
    check_tenant(service, tenant, users=True)
    form = request.form()
    client_id = public_client(form)
    parse_scope(service, form)
    code = service.devices.issue(client_id, form.get("scope", ""))
    page = verification_page(service)
    document: dict[str, object] = {
        "user_code": code.user_code,
        "device_code": code.device_code,
        "verification_uri": page,
        "expires_in": service.devices.lifetime,
        "interval": service.options.device_interval,
        "message": (
            f"To sign in, use a web browser to open the page {page} "
            f"and enter the code {code.user_code} to authenticate."
        ),
    }
    if service.idp is IdentityProvider.ADFS:
        document["verification_uri_complete"] = f"{page}?user_code={code.user_code}"
    return json_response(200, document)


def verification_page(service: TokenService) -> str:
    """Return the verification URI."""
    match service.idp:
        case IdentityProvider.AAD:
            return f"{service.hosts.login_origin}/devicelogin"
        case IdentityProvider.ADFS:
            return f"{service.hosts.login}/oauth2/deviceauth"


def show_device_page(_service: TokenService, _request: Request) -> Response:
    """Return the verification form."""
    return html_page(200, TITLE, FORM)


def submit_device_page(service: TokenService, request: Request) -> Response:
    """Approve or decline a code: 200 when done, 400 with the form and the reason when not."""
    form = request.form()
    code = service.devices.by_user_code(form.get("user_code", ""))
    if code is None:
        return _form_with_error("That code didn't work. Check the code and try again.")
    if form.get("action") == "decline":
        code.decision = Decision.DECLINED
        return html_page(200, TITLE, "<p>You cancelled the sign-in.</p>")
    name, password = form.get("username", ""), form.get("password", "")
    try:
        code.decision = authenticate_user(
            service, name, password, interactive=True, client_id=code.client_id
        )
    except OAuthError as error:
        return _form_with_error(WORDINGS[service.idp][error.reason].text.format(error.detail))
    return html_page(200, TITLE, "<p>You have signed in. You may now close this window.</p>")


def _form_with_error(reason: str) -> Response:
    return html_page(400, TITLE, f"<p>{escape(reason)}</p>{FORM}")
