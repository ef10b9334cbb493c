"""Trusting the root of what a host presents: which root, into which bundle, and are you sure.

Where the host does not present its root, and no store holds it, a file of it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Label

from stacktui.certificates.formatting import COMPARE, DIGITS, LOST_BY_UPGRADE, last_digits
from stacktui.check.settings import Settings
from stacktui.check.target import CheckTarget
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.certificate_detail import validity
from stacktui.tui.screens.action_screen import ActionScreen, question
from stacktui.tui.widgets.list_pane import ListPane, Row
from stacktui.tui.widgets.text_input import TextInput

if TYPE_CHECKING:
    from stacktui.certificates.bundle import Change
    from stacktui.certificates.roots import NoRoot
    from stacktui.certificates.trust_root import Proposal, TrustOption
    from stacktui.certificates.trust_target import Outcome, TrustTarget


_FORMS = "A file with it may be PEM, DER or p7b."
_CAUTION = (
    "named like a gateway that opens TLS: whoever holds its key can read all that you send, and "
    "your secrets. Better ask for the host to be exempt from inspection"
)


class Trust(ActionScreen):
    """`chain` is what `host` presents, DER, leaf first; `checks` when a check follows by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "read_file", "read it", priority=True),
        # With priority over the input's own `enter`, which does nothing here.
        Binding("enter", "trust", "trust it", priority=True),
    ]

    def __init__(
        self,
        target: CheckTarget,
        settings: Settings,
        host: str,
        chain: tuple[bytes, ...],
        *,
        checks: bool = False,
    ) -> None:
        super().__init__(f"Trust the root of {host}", "Into which bundle")
        self._target, self._settings, self._host, self._chain = target, settings, host, chain
        self._checks = checks
        self._proposal: Proposal | None = None
        self._typed = TextInput(id="digits", max_length=4 * DIGITS)
        self._typing = Horizontal(Label(f"The last {DIGITS} digits", markup=False), self._typed)
        self._path = TextInput(id="file")
        self._asking_file = Horizontal(Label("File of the root", markup=False), self._path)

    def extra(self) -> ComposeResult:
        self._typing.display = self._asking_file.display = False
        yield self._typing
        yield self._asking_file

    def on_mount(self) -> None:
        self.wait("Searching the chain and the stores of this machine for the root.")
        environment, settings = self._target.environment, self._settings
        host, chain = self._host, self._chain

        def propose() -> Proposal | NoRoot:
            from stacktui.certificates.trust_root import propose

            return propose(chain, host, environment, settings.path, settings.environments)

        self.run(propose, self._proposed)

    def _proposed(self, proposal: Proposal | NoRoot) -> None:
        from stacktui.certificates.roots import NoRoot, NoRootReason  # imported in the thread

        if isinstance(proposal, NoRoot):
            if proposal.reason in (NoRootReason.MISSING, NoRootReason.INTERCEPTED):
                self._asking_file.display = True
                self.below += 1
                self._path.focus()
            self.set_text(_no_root(proposal, asks=self._asking_file.display))
            return
        self._offer(proposal)

    def action_read_file(self) -> None:
        """Read the file, and say whether it completes the chain."""
        environment, settings = self._target.environment, self._settings
        host, chain, typed = self._host, self._chain, self._path.value.strip().strip("'\"")
        if not typed:
            self.warn("the path of a file: PEM, DER or p7b")
            return

        def propose() -> Proposal | str:
            from stacktui.certificates.errors import CertificateError
            from stacktui.certificates.trust_root import propose_from_file

            file = Path(typed).expanduser()
            try:
                return propose_from_file(
                    file, chain, host, environment, settings.path, settings.environments
                )
            except CertificateError as error:
                return str(error)

        self.run(propose, self._read)

    def _read(self, proposal: Proposal | str) -> None:
        if isinstance(proposal, str):
            lines = (label_value("why", Span(proposal, TextStyle.WARNING)), BLANK, line(_FORMS))
            self.set_text((line(Span("Nothing is trusted.", TextStyle.ERROR)), BLANK, *lines))
            return
        self._asking_file.display = False
        self.below -= 1
        self._offer(proposal)

    def _offer(self, proposal: Proposal) -> None:
        self._proposal = proposal
        glyphs = self.services.screen_style.glyphs
        self.set_choices([_row(each, glyphs) for each in proposal.options])
        if not proposal.corroborated:
            self._typing.display = True
            self.below += 1
            self._typed.focus()
        # Another program's bundle is never preselected.
        possible = (each for each in proposal.options if each.change and each.target.ours)
        self.choices.choose(_key(next(possible, proposal.options[0])))
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        self.asking = False
        if self._proposal is not None:
            self.set_text(_lines(self._proposal, self._option, asking=False))

    @property
    def _option(self) -> TrustOption | None:
        options = self._proposal.options if self._proposal else ()
        return next((each for each in options if _key(each) == self.choices.chosen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "read_file":
            return bool(self._asking_file.display)
        if action == "trust":
            return self._option is not None and bool(self._option.change) and not self.asking
        return super().check_action(action, parameters)

    def action_trust(self) -> None:
        proposal, option = self._proposal, self._option
        if proposal is None or option is None:
            return
        if not proposal.corroborated and not self._digits_agree(proposal.root.sha256):
            self.warn(f"not the last {DIGITS} digits of its SHA-256: nothing was changed")
        elif option.target.ours:
            self.action_confirm()
        else:
            self.asking = True
            self.choices.focus()  # so that the answer is not typed among the digits
            self.set_text(_lines(proposal, option, asking=True))

    def action_confirm(self) -> None:
        option = self._option
        if option is not None and option.change is not None:
            self._trust(option.target, option.change)

    def action_decline(self) -> None:
        self._show()
        if self._typing.display:
            self._typed.focus()

    def _trust(self, target: TrustTarget, change: Change) -> None:
        def trust() -> Outcome:
            from stacktui.certificates.trust_target import add

            return add(target, change)

        self.run(trust, lambda outcome: self._done(target, outcome), changes=True)

    def _digits_agree(self, sha256: str) -> bool:
        typed = self._typed.value.replace(":", "").replace(" ", "").upper()
        return typed == last_digits(sha256)

    def _done(self, target: TrustTarget, outcome: Outcome) -> None:
        kept = f" (as it was: {outcome.backup.name})" if outcome.backup else ""
        trouble = f"; {outcome.trouble}" if outcome.trouble else ""
        then = "U in pane 2 takes it back" if self._checks else "U takes it back, c checks"
        self.dismiss(f"trusted in {target.name}{kept}: {then}{trouble}")


def _key(option: TrustOption) -> str:
    return f"{option.target.name} {option.target.path}"


def _row(option: TrustOption, glyphs: Glyphs) -> Row:
    """Return the row of a bundle, with whether the root can go there."""
    sign, role = (glyphs.ok, TextStyle.OK) if option.change else (glyphs.skipped, TextStyle.DIM)
    path = Span(str(option.target.path), TextStyle.DIM)
    state = Span(f"{sign} {option.state.value}", role)
    return Row(_key(option), (Span(option.target.name),), (((state,), (path,)), ((state,),)))


def _lines(proposal: Proposal, option: TrustOption | None, *, asking: bool) -> list[Line]:
    root = proposal.root
    lines = [
        label_value("root", Span(root.subject, TextStyle.STRONG)),
        label_value("SHA-256", root.sha256),
        label_value("valid", *validity(root, proposal.made)),
        label_value("comes from", *_origin(proposal)),
    ]
    if proposal.file is not None:
        lines.insert(0, label_value("completes", _completed(proposal)))
    if proposal.gateway:
        lines.append(label_value("caution", Span(_CAUTION, TextStyle.ERROR)))
    if proposal.store_problem:
        lines.append(label_value("fix first", Span(proposal.store_problem, TextStyle.ERROR)))
    if option is not None:
        lines += [
            BLANK,
            label_value("into", str(option.target.path)),
            label_value("", _meaning(option)),
        ]
        if option.why_not:
            lines.append(label_value("but", Span(option.why_not, TextStyle.WARNING)))
        if asking:
            return [*lines, BLANK, question(f"Change the file of {option.target.name}?")]
    if not proposal.corroborated:
        lone = Span("Nobody but the host itself vouches for this root. ", TextStyle.WARNING)
        lines += [BLANK, line(lone, f"{COMPARE}.")]
    return lines


def _origin(proposal: Proposal) -> tuple[Span, ...]:
    if proposal.file is not None:
        return (Span(f"{proposal.file}: compare its SHA-256 with the stamp operator's"),)
    if not proposal.corroborated:
        return (Span("the host alone: it presented it", TextStyle.WARNING),)
    return (Span(f"stores of this machine that hold it: {', '.join(proposal.holders)}"),)


def _completed(proposal: Proposal) -> Span:
    if proposal.refused:
        return Span(f"the chain, which is refused even then: {proposal.refused}", TextStyle.WARNING)
    return Span("the chain that the host presents: it is trusted then", TextStyle.OK)


def _no_root(no_root: NoRoot, *, asks: bool) -> list[Line]:
    """Return why there is no root; if a file is asked for, without the command that takes one."""
    fix = f"{no_root.advice} name it here. {_FORMS}" if asks else no_root.remedy
    head = Span("There is no root to trust.", TextStyle.ERROR)
    if asks:
        head = Span("The root is not on this machine: which file has it?", TextStyle.WARNING)
    return [
        line(head),
        BLANK,
        label_value("why", no_root.why),
        label_value("fix", fix),
    ]


def _meaning(option: TrustOption) -> str:
    """Return who uses this bundle, and the consequences of adding a root to it."""
    target, store = option.target, option.store
    copied = f" The file as it is now is kept as {option.backup.name}." if option.backup else ""
    if store is not None:
        whose = f"{store.name} ({store.detail})" if store.detail else store.name
        lost = f" {LOST_BY_UPGRADE}" if target.is_certifi else ""
        return (
            f"The bundle of {whose}; needs write permission.{copied}{lost} "
            "The export (x in the pane) survives upgrades and needs no root."
        )
    names = ", ".join(target.environments)
    if target.new_ca:
        return f"A new file, which becomes the ca of {names} in the config. Counts for it alone."
    if names:
        return f"Counts for {names} alone.{copied}"
    if target.ours:
        return (
            "Counts for every environment here. az and other programs do not read it: press x in "
            "the pane to export a bundle for them."
        )
    return ""
