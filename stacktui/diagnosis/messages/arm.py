"""ARM's codes (PROTOCOL.md section 4) and HTTP statuses that several faults share."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern, arm_code, http_status

INVALID_TOKEN = arm_code("InvalidAuthenticationToken", whole=True)

INVALID_TOKEN_AUDIENCE = arm_code(
    "InvalidAuthenticationTokenAudience", r"wrong audience or resource"
)

EXPIRED_TOKEN = arm_code("ExpiredAuthenticationToken", r"access token expiry")

INVALID_API_VERSION = arm_code("InvalidApiVersionParameter", r"supported (?:api-)?versions are")

NO_REGISTERED_PROVIDER = arm_code("NoRegisteredProviderFound")

INTERNAL_SERVER_ERROR = arm_code("InternalServerError", r"internal server error")

SERVICE_UNAVAILABLE = arm_code(
    "ServiceUnavailable", r"service (?:is )?unavailable|server unavailable"
)

# The client asks for an api-version of public Azure, and says that its profile is wrong.
INVALID_PROFILE = MessagePattern(
    "the profile of the cloud is not one for a stamp", r"invalid profile is used for cloud"
)

HTTP_401 = http_status("401", "401", r"401 unauthorized|status 'unauthorized'")

HTTP_403 = http_status("403", "403", r"403 forbidden|status 'forbidden'")

HTTP_404 = http_status("404", "404")

HTTP_429 = http_status("429", "429", r"429 too many|too many requests")

HTTP_500_OR_504 = http_status(
    "500 or 504", "50[04]", r"50[04] gateway|gateway time-?out|operationtimedout"
)

HTTP_502 = http_status("502", "502", r"502 bad|bad gateway")

HTTP_503 = http_status("503", "503", r"503 service")

HTTP_OTHER_5XX = http_status("a 5xx that is not 503", r"5(?!03)\d\d")

BAD_STATUS_LINE = MessagePattern("BadStatusLine", r"badstatusline|with content-encoding: gzip")

NO_JSON = MessagePattern(
    "an answer that is no JSON",
    r"jsondecodeerror|expecting value: |unterminated string starting"
    r"|looking for beginning of value|unexpected end of json|unexpected token .{1,12} json"
    r"|is not valid json|while parsing value|jsonreaderexception|jsonparseexception",
)

NO_ANSWER_IN_TIME = MessagePattern(
    "no answer in time",
    r"read timed out|readtimeout|operation has timed out|httpclient\.timeout|operation timed out"
    r"|read operation timed out|sockettimeoutexception|context deadline exceeded|timeout of \d"
    r"|client\.timeout exceeded|headers timeout|taskcanceledexception|a task was canceled"
    r"|timed out waiting|httptimeoutexception",
)
