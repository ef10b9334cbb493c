"""Files that other users of this machine may read or change."""

from __future__ import annotations

from collections.abc import Iterator

from stacktui.check.open_files import OpenFile
from stacktui.diagnosis.context import ReportContext
from stacktui.diagnosis.fault import Explanation, FaultInfo, Group
from stacktui.diagnosis.finding import Action, ActionKind, Remedy, Side
from stacktui.diagnosis.remedy_template import PlainWord, RemedyTemplate, for_both

_CLOSE_FILE = for_both(
    "Let {file} be read or changed by nobody else", "chmod {mode} {file}", mode="600"
)
_CLOSE_FOLDER = for_both(
    "Let nobody else write to {folder}", "chmod {mode} {folder}", mode="700", folder="DIR"
)
_RENEW_SECRET = RemedyTemplate(
    "Then make a new secret, unless you trust everybody who has an account on this machine: it "
    "may have been read"
)


def _secret_file_open(report: ReportContext) -> Explanation | None:
    found = report.report.open_files
    if not found:
        return None
    what = "decide where stacktui sends secrets"
    if report.identity and not all(each.writable for each in found):
        what = f"read the secret of identity {report.identity.name}"
    title = f"Other users of this machine may {what}"
    return Explanation(title, tuple(map(_line, found)), tuple(_remedies(found)))


def _line(opened: OpenFile) -> str:
    what = "write to it, and so decide where secrets go" if opened.writable else "read it"
    return f"{opened.path}: its mode is {opened.mode:04o}, so {opened.who} may {what}"


def _remedies(found: tuple[OpenFile, ...]) -> Iterator[Remedy]:
    for each in found:
        mode, path = f"{each.wanted:o}", str(each.path)
        action = Action(ActionKind.CHMOD, key=path, value=mode)
        template, name = (_CLOSE_FOLDER, "folder") if each.is_folder else (_CLOSE_FILE, "file")
        yield template.fill(action, mode=PlainWord(mode), **{name: path})
    if not all(each.writable for each in found):
        yield _RENEW_SECRET.fill()


SECRET_FILE_OPEN = FaultInfo(
    id="secret-file-open",
    group=Group.ADVISORY,
    sides=(Side.BOX,),
    meaning="Others on this machine may read the secret, or change where it goes.",
    distinguishing_evidence=(
        "The file or folder, its mode and who may open it: a secret or private key that the group "
        "or others may read, a config or a folder of it that they may write to. What is in a "
        "folder that they may not enter is not open. Windows has no such modes, and nothing is "
        "reported there. A file that is missing is `secret-missing`."
    ),
    az_says="nothing: it does not look at the file's mode",
    remedies=(_CLOSE_FILE, _CLOSE_FOLDER, _RENEW_SECRET),
    advisories=(_secret_file_open,),
)
