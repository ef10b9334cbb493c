"""Trusting the root of what a host presents: which root, into which bundle, and are you sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Label

from stacktui.check.settings import Settings
from stacktui.check.target import Target
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, label_value, line
from stacktui.tui.panes.certificate_detail import validity
from stacktui.tui.screens.deed import Deed
from stacktui.tui.widgets.list_pane import ListPane, Row

if TYPE_CHECKING:
    from stacktui.certificates.chain import Certificate
    from stacktui.certificates.destination import Outcome
    from stacktui.tui.trusting import Place, Proposal

# Of the fingerprint of a root that only the host itself presented, so many are typed.
DIGITS = 8


class Trust(Deed):
    """`chain` is what `host` presents, DER, leaf first; `checks` when a check follows by itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the input's own, which has no use for it.
        Binding("enter", "trust", "trust it", priority=True),
        Binding("y", "confirm", "yes"),
        Binding("escape", "change", "no"),
        Binding("escape", "leave", "back"),
    ]

    def __init__(
        self,
        target: Target,
        settings: Settings,
        host: str,
        chain: tuple[bytes, ...],
        *,
        checks: bool = False,
    ) -> None:
        super().__init__(f"Trust the root of {host}", "Into which bundle")
        self._target, self._settings, self._chain = target, settings, chain
        self._checks = checks
        self._proposal: Proposal | None = None
        self._asking = False
        self._typed = Input(id="digits", max_length=4 * DIGITS)
        self._typed.cursor_blink = False
        self._typing = Horizontal(Label(f"The last {DIGITS} digits", markup=False), self._typed)

    def extra(self) -> ComposeResult:
        self._typing.display = False
        yield self._typing

    def on_mount(self) -> None:
        self.wait("Looking for the root, in the chain and in the stores of this box.")
        target, settings, chain = self._target, self._settings, self._chain

        def propose() -> Proposal:
            from stacktui.tui.trusting import propose

            return propose(target, settings, chain)

        self.do(propose, self._proposed)

    def _proposed(self, proposal: Proposal) -> None:
        self._proposal = proposal
        glyphs = self.services.screen_style.glyphs
        self.offer([_row(each, glyphs) for each in proposal.places])
        if proposal.root is not None and not proposal.vouched_for:
            self._typing.display = True
            self.below += 1
            self._typed.focus()
        # Another program's bundle is never what one gets for pressing enter.
        possible = (each.key for each in proposal.places if each.change and each.destination.ours)
        self.choices.choose(next(possible, proposal.places[0].key if proposal.places else None))
        self._show()

    @on(ListPane.Chosen)
    def _show(self) -> None:
        self._asking = False
        if self._proposal is not None:
            self.tell(_lines(self._proposal, self._place, asking=False))

    @property
    def _place(self) -> Place | None:
        places = self._proposal.places if self._proposal else ()
        return next((each for each in places if each.key == self.choices.chosen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "trust":
                return self._place is not None and bool(self._place.change) and not self._asking
            case "confirm" | "change":
                return self._asking
            case "leave":
                return not self._asking
            case _:
                return True

    def action_trust(self) -> None:
        place = self._place
        if place is None or self._proposal is None:
            return
        if not self._proposal.vouched_for and not self._digits_agree(self._proposal.root):
            self.warn(f"not the last {DIGITS} digits of its SHA-256: nothing was changed")
        elif place.destination.ours:
            self._trust(place)
        else:
            self._asking = True
            self.choices.focus()  # so that the answer is not typed among the digits
            self.tell(_lines(self._proposal, place, asking=True))

    def action_confirm(self) -> None:
        if self._place is not None:
            self._trust(self._place)

    def action_change(self) -> None:
        self._show()
        if self._typing.display:
            self._typed.focus()

    def _trust(self, place: Place) -> None:
        def trust() -> Outcome:
            from stacktui.tui.trusting import trust

            return trust(place)

        self.do(trust, lambda outcome: self._done(place, outcome), changes=True)

    def _digits_agree(self, root: Certificate | None) -> bool:
        typed = self._typed.value.replace(":", "").replace(" ", "").upper()
        return root is not None and typed == root.sha256.replace(":", "")[-DIGITS:]

    def _done(self, place: Place, outcome: Outcome) -> None:
        kept = f" (as it was: {outcome.backup.name})" if outcome.backup else ""
        trouble = f"; {outcome.trouble}" if outcome.trouble else ""
        then = "U in pane 2 takes it back" if self._checks else "U takes it back, c checks"
        self.dismiss(f"trusted in {place.name}{kept}: {then}{trouble}")


def _row(place: Place, glyphs: Glyphs) -> Row:
    """The bundle, and whether the root can go there."""
    sign, style = glyphs.skipped, TextStyle.DIM
    if place.change is not None:
        sign, style = glyphs.ok, TextStyle.OK
    path = Span(str(place.destination.path), TextStyle.DIM)
    state = Span(f"{sign} {place.word}", style)
    return Row(place.key, (Span(place.name),), (((state,), (path,)), ((state,),)))


def _lines(proposal: Proposal, place: Place | None, *, asking: bool) -> list[Line]:
    root = proposal.root
    if root is None:
        return [
            line(Span("There is no root to trust.", TextStyle.ERROR)),
            BLANK,
            label_value("why", proposal.why_not),
            label_value("mend", proposal.mend),
        ]
    lines = [
        label_value("root", Span(root.subject, TextStyle.STRONG)),
        label_value("SHA-256", root.sha256),
        label_value("valid", *validity(root, proposal.made)),
        label_value("comes from", *_origin(proposal)),
    ]
    if proposal.first:
        lines.append(label_value("mend first", Span(proposal.first, TextStyle.ERROR)))
    if place is not None:
        lines += [
            BLANK,
            label_value("into", str(place.destination.path)),
            label_value("", place.says),
        ]
        if place.why_not:
            lines.append(label_value("but", Span(place.why_not, TextStyle.WARNING)))
    if asking and place is not None:
        question = Span(f"Change the file of {place.name}?  ", TextStyle.WARNING)
        yes = (Span("y", TextStyle.KEY), Span(" yes   "), Span("esc", TextStyle.KEY), Span(" no"))
        return [*lines, BLANK, line(question, *yes)]
    if not proposal.vouched_for:
        lines += [
            BLANK,
            line(
                Span("Nobody but the host itself vouches for this root. ", TextStyle.WARNING),
                "Compare its SHA-256 with what the stamp's operator tells you, then type its last "
                f"{DIGITS} digits.",
            ),
        ]
    return lines


def _origin(proposal: Proposal) -> tuple[Span, ...]:
    if not proposal.vouched_for:
        return (Span("the host alone: it presented it", TextStyle.WARNING),)
    return (Span(f"stores of this box that hold it: {', '.join(proposal.holders)}"),)
