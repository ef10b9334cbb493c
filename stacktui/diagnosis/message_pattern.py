"""The patterns by which a client's message is recognised."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """A text or code in the message of az or another client.

    A fault's definition gives each of its patterns a weight: from 80 on the text means nothing
    else, around 50 it means a few faults, under 30 hardly more than that something failed. A
    weight above 100 also says that what the message quotes is not the fault itself, as a proxy's
    error quotes a refused connection.

    `label` describes what was recognised; the message itself is never shown. `regex`
    and `also` are searched in lower-case text with single blanks as white space, and both
    must match. Repetitions are of one character class and bounded, so that any
    text takes linear time. `code` is the service's error code, if the pattern is one. `note` is
    added to the explanation, with what `regex` found for `{code}`, and its digits for `{number}`.
    """

    label: str
    regex: str
    also: str = ""
    code: str = ""
    note: str = ""


def sign_in_code(code: str, words: str = "", note: str = "") -> MessagePattern:
    """Return the pattern of a sign-in service's code (`MSIS9622`), or of its message."""
    regex = rf"{code.lower()}(?!\d)"
    return MessagePattern(code, f"{regex}|{words}" if words else regex, code=code, note=note)


def http_status(label: str, numbers: str, words: str = "") -> MessagePattern:
    """Return the pattern of an HTTP status in the words of az, requests, .NET, Go and Java.

    `numbers` is a regular expression (`50[04]`).
    """
    regex = (
        rf"\((?:{numbers})\b"
        r"|(?<!returned )(?:status|response) ?(?:code)?(?: does not indicate success)?:? ?"
        rf"[='\"]{{0,2}}(?:{numbers})\b"
        rf"|(?:http|returned) error:? (?:{numbers})\b|\b(?:{numbers}) (?:client|server) error"
    )
    return MessagePattern(label, f"{regex}|{words}" if words else regex)


def arm_code(code: str, words: str = "", *, whole: bool = False) -> MessagePattern:
    """Return the pattern of an ARM code, or of its message.

    `whole` if other codes contain this one.
    """
    regex = rf"\b{code.lower()}\b" if whole else code.lower()
    return MessagePattern(code, f"{regex}|{words}" if words else regex, code=code)
