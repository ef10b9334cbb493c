"""ARM's codes (PROTOCOL.md section 4) and HTTP statuses that several faults share."""

from __future__ import annotations

from stacktui.diagnosis.message_pattern import MessagePattern, arm_code

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

HTTP_429 = MessagePattern(
    "429",
    (r"\(429\)|http error: 429|status code:? 429|429 (?:client error|too many)|too many requests"),
)

HTTP_403 = MessagePattern(
    "403", r"\(403\)|status code:? 403|403 (?:client error|forbidden)|status 'forbidden'"
)

HTTP_500_OR_504 = MessagePattern(
    "500 or 504", r"\(50[04]\)|50[04] (?:server error|gateway)|gateway time-?out"
)

HTTP_502 = MessagePattern("502", r"\(502\)|502 (?:server error|bad)|bad gateway")

HTTP_503 = MessagePattern("503", r"\(503\)|503 (?:server error|service)")

BAD_STATUS_LINE = MessagePattern("BadStatusLine", r"badstatusline|with content-encoding: gzip")

NO_JSON = MessagePattern(
    "an answer that is no JSON", r"jsondecodeerror|expecting value: |unterminated string starting"
)

NO_ANSWER_IN_TIME = MessagePattern(
    "no answer in time",
    (r"read timed out|readtimeout|operation has timed out|httpclient\.timeout|operation timed out"),
)
