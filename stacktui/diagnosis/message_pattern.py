"""What a client's message is recognised by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessagePattern:
    """Words or a code in the message of az or another client.

    A fault's definition gives each of its patterns a weight: from 80 on the words mean nothing
    else, around 50 they mean a few faults, under 30 hardly more than that something failed. A
    weight above 100 also says that what the message quotes is not the fault itself, as a proxy's
    error quotes a refused connection.

    `label` says in our words what was recognised: of the message itself nothing is shown. `regex`
    is searched in text in lower case whose white space is single blanks; so is `also`, and both
    must be found. They repeat one character class at a time, and not without a bound, so that any
    text takes linear time. `code` is the service's error code, where the pattern is one. `note` is
    added to the answer, where there is more to say than a definition does.
    """

    label: str
    regex: str
    also: str = ""
    code: str = ""
    note: str = ""


def sign_in_code(code: str, words: str = "", note: str = "") -> MessagePattern:
    """A sign-in service's code (`AADSTS7000215`, `MSIS9622`), or the words that come with it."""
    regex = rf"{code.lower()}(?!\d)"
    return MessagePattern(code, f"{regex}|{words}" if words else regex, code=code, note=note)


def arm_code(code: str, words: str = "", *, whole: bool = False) -> MessagePattern:
    """ARM's code, or the words of the message that comes with it.

    `whole` where other codes contain this one.
    """
    regex = rf"\b{code.lower()}\b" if whole else code.lower()
    return MessagePattern(code, f"{regex}|{words}" if words else regex, code=code)
