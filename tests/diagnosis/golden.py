"""What each drill's document says, without what is another in every run: for `test_drills`.

`pytest tests/diagnosis/test_drills.py --snapshot-update` writes it anew. Its changes are to be read
like those of code: ids, sides, outcomes, facts and commands are what users build on.
"""

from __future__ import annotations

import re
from typing import Any

_VARYING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<guid>"),
    (re.compile(r"\b(?:[0-9A-F]{2}:){19,31}[0-9A-F]{2}\b|\b[0-9A-Fa-f]{40,64}\b"), "<hash>"),
    (re.compile(r"(?:/[\w.-]+)*/stacktui-(?:demo|stamp)-\w+"), "<folder>"),
    (re.compile(r"/[\w./-]+/cacert\.pem"), "<certifi>"),
    (re.compile(r"\bcontoso[0-9a-f]{4}\b"), "<directory>"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?|\b20\d{6}T\d{6}Z"), "<time>"),
    (re.compile(r"\b\d{1,2}/\d{1,2}/20\d\d \d{1,2}:\d\d:\d\d [AP]M\b"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "<time>"),
    (re.compile(r"(?:(?<=until )|(?<=recorded ))20\d\d-\d\d-\d\d"), "<date>"),
    (
        re.compile(r"(?<=[\da-z]:)\d{4,5}\b|(?<=[Pp]ort )\d{4,5}\b|(?<=127\.0\.0\.1 )\d{4,5}"),
        "<port>",
    ),
    (re.compile(r"\b\d+(?:\.\d+)? (?:ms|s|minutes|hours|days)\b"), "<duration>"),
    (re.compile(r"\b[\d,]+ bytes"), "<bytes>"),
)


def steady(text: str) -> str:
    """`text` with a word in place of each value that every run makes anew."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    return text


def summary(code: int, document: dict[str, Any]) -> dict[str, Any]:
    """What of a check's document must not change unseen."""
    verdict = document["verdict"]
    return {
        "exit": code,
        "steps": {each["name"]: each["outcome"] for each in document["steps"]},
        "verdict": _finding(verdict) if verdict else None,
        "also_seen": [_finding(each) for each in document["also_seen"]],
    }


def _finding(finding: dict[str, Any]) -> dict[str, Any]:
    remedies = [
        {key: steady(each[key]) for key in ("bash", "powershell") if each[key]}
        | ({"action": each["action"]["kind"]} if each["action"] else {})
        for each in finding["remedies"]
    ]
    return {
        "id": finding["id"],
        "side": finding["side"],
        "evidence": [steady(each) for each in finding["evidence"]],
        "remedies": remedies,
        "az_says": finding["az_says"],
    }
