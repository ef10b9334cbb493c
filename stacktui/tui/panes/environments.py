"""Pane 1: the environments of the config, and the state of their last checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from stacktui.config.read_only import is_read_only
from stacktui.environments.model import Environment
from stacktui.environments.naming import is_operator_endpoint, region_of
from stacktui.text.times import moment_text
from stacktui.tui.app_state import AppState
from stacktui.tui.formatting import PROVIDERS, clock, duration, state_spans, word_of
from stacktui.tui.glyphs import Glyphs
from stacktui.tui.lines import BLANK, Line, Span, TextStyle, dotted, line
from stacktui.tui.widgets.list_pane import Cell, Columns, ListPane, Row, Rows

if TYPE_CHECKING:
    from stacktui.check.summary import CheckSummary
    from stacktui.tui.live_check import LiveCheck

UNUSABLE = "unusable"
# Healthy, but without an identity to sign in with: not counted as `ok`.
METADATA_OK = "metadata ok"
# As the prompt of root: what is done here is done to everybody's stamp.
OPERATOR_SIGN = "#"


class EnvironmentsPane(ListPane):
    """The highlighted environment is the one that the other panes show."""

    caption = "Environments"
    strip_captions = ("Environments", "Envs")
    number = "1"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "screen.use", "make active", id="make_active"),
        Binding("s", "sort", "broken first", id="sort"),
        Binding("e", "screen.edit", "edit", id="edit"),
        Binding("x", "screen.export_environment", "export", id="export_environment"),
        Binding("i", "screen.image_aliases", "VM images", id="image_aliases", show=False),
        Binding("A", "screen.copy_environment", "copy environment", id="copy", show=False),
        Binding("D", "screen.remove", "remove", id="remove", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._strip_state: tuple[Span, ...] = ()
        self._app_state: AppState | None = None
        self._broken_first = False
        self._outcomes: dict[str, str] = {}
        self._counted: Counter[str] = Counter()

    def update(self, app_state: AppState, changed: Iterable[str] | None = None) -> None:
        """Show the state; if not all may have changed, that of the `changed` environments."""
        self._app_state = app_state
        glyphs = self.screen_style.glyphs
        names = app_state.settings.names if app_state.settings else ()
        if self._broken_first:
            names = tuple(sorted(names, key=lambda name: rank(name, app_state)))
        rows = Rows(
            names,
            lambda name: row(name, app_state, glyphs),
            lambda name: f"{name} {state_word(name, app_state)}".lower(),
        )
        forms = self._count(app_state, changed).summaries(glyphs)
        # Whether any is broken or running, but not how many are well: the strip is short.
        self._strip_state = forms[2] or (Span("0", TextStyle.DIM),)
        if app_state.config_error:
            forms = [(Span(f"{glyphs.failed} config broken", TextStyle.ERROR),), forms[-1], (), ()]
            self._strip_state = (Span(f"{glyphs.failed} config", TextStyle.ERROR),)
        if self._broken_first:
            order = Span(f"{glyphs.dot}broken first", TextStyle.DIM)
            forms = [*((*form, order) for form in forms[:2]), *forms]
        self.show(
            rows,
            forms[0],
            empty(app_state),
            short_summaries=forms[1:],
            folded_summary=folded_summary(app_state, glyphs),
        )

    def _count(self, app_state: AppState, changed: Iterable[str] | None) -> Counts:
        """Return the counts; only the `changed` are counted again, as there may be thousands."""
        settings, counted = app_state.settings, self._counted
        if changed is None:
            self._outcomes.clear()
            counted.clear()
            changed = settings.environments if settings else ()
        for name in changed:
            before = self._outcomes.get(name, "")
            self._outcomes[name] = after = outcome(name, app_state)
            counted[before] -= 1
            counted[after] += 1
        names, errors = (settings.names, settings.errors) if settings else ((), {})
        ok, faults, running = counted["ok"], counted["fault"], counted["running"]
        return Counts(len(names), ok, counted[METADATA_OK], faults, running, len(errors))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "sort":
            return len(self._rows.keys) > 1
        return super().check_action(action, parameters)

    def action_sort(self) -> None:
        """Show the broken ones first, or all in the order of the config."""
        self._broken_first = not self._broken_first
        if self._app_state is not None:
            self.update(self._app_state)

    def strip_state(self) -> tuple[Span, ...]:
        return self._strip_state


@dataclass(frozen=True, slots=True)
class Counts:
    """How many environments there are, and how many of them are in which state."""

    total: int
    ok: int
    metadata_ok: int
    faults: int
    running: int
    unusable: int

    @property
    def broken(self) -> int:
        return self.faults + self.unusable

    def summaries(self, glyphs: Glyphs) -> list[tuple[Span, ...]]:
        """Return `12 · 8 ok · 1 metadata ok · 2 faults · 1 running`, and then shorter forms."""
        total = (self.total, "", TextStyle.DIM)
        ok, running = TextStyle.OK, TextStyle.ACCENT
        broken = (self.broken, f" {glyphs.failed}", TextStyle.ERROR)
        under_way = (self.running, f" {glyphs.running}", running)
        forms = (
            (
                total,
                (self.ok, " ok", ok),
                (self.metadata_ok, f" {METADATA_OK}", ok),
                (self.faults, " faults" if self.faults > 1 else " fault", TextStyle.ERROR),
                (self.unusable, f" {UNUSABLE}", TextStyle.ERROR),
                (self.running, " running", running),
            ),
            (total, (self.ok, f" {glyphs.ok}", ok), broken, under_way),
            (total, broken, under_way),
            (total, broken),
            (total,),
        )
        return [
            dotted(
                (Span(f"{number}{what}", style) for number, what, style in form if number), glyphs
            )
            for form in forms
        ]


def outcome(name: str, app_state: AppState) -> str:
    """Return how an environment is counted; empty if it is in none of the sums."""
    if (last := last_known(name, app_state)) is not None:
        if last.metadata_only:
            return METADATA_OK
        return {True: "ok", False: "fault", None: ""}[last.ok]
    check = app_state.checks.get(name)
    if check is None or check.queued or check.undecided:
        return ""
    if check.running:
        return "running"
    if check.broken_or_faulty:
        return "fault"
    if check.metadata_only:
        return METADATA_OK
    return "ok" if check.healthy else ""


def state_word(name: str, app_state: AppState) -> str:
    """Return the state of an environment in words."""
    if app_state.settings is not None and name in app_state.settings.errors:
        return UNUSABLE
    if (last := last_known(name, app_state)) is not None:
        return _outcome_of(last)
    return word_of(app_state.checks.get(name))


def rank(name: str, app_state: AppState) -> int:
    """Return the place in a list with the broken first: they, then all others, the good last."""
    check, last = app_state.checks.get(name), last_known(name, app_state)
    if last is not None:
        return 1 if last.ok is None else 2 if last.ok else 0
    if check is None:
        return 0 if app_state.settings and name in app_state.settings.errors else 1
    return 0 if check.broken_or_faulty else 2 if check.healthy else 1


def row(name: str, app_state: AppState, glyphs: Glyphs) -> Row:
    active = app_state.settings is not None and app_state.settings.active == name
    mark: tuple[Span, ...] = (Span(f"{glyphs.active} ", TextStyle.ACCENT),) if active else ()
    if is_operator(name, app_state):
        mark += (Span(f"{OPERATOR_SIGN} ", TextStyle.WARNING),)
    if app_state.settings is not None and name in app_state.settings.errors:
        state = (Span(f"{glyphs.failed} {UNUSABLE}", TextStyle.ERROR),)
        narrower: tuple[Columns, ...] = ((state, (), ()), (state, ()), (state,))
        return Row(name, (*mark, Span(name)), (*_with_settings(state, (), (), (), ()), *narrower))
    check, last = app_state.checks.get(name), last_known(name, app_state)
    time, when = duration_of(check), time_of(check)
    words = state_spans(check, glyphs)
    if last is not None:  # dim, as it is of an earlier time
        words = (Span(recalled(last, glyphs)[0].text, TextStyle.DIM),)
        time = (Span(duration(last.seconds), TextStyle.DIM),)
        when = (Span(moment_text(last.started, datetime.now(UTC), None), TextStyle.DIM),)
    columns: tuple[Columns, ...] = ((words, time, when), (words, when), (words,))
    if spent := elapsed(check):
        both = (*words, Span(" "), *spent)
        columns = ((words, spent, when), (words, spent), (both,))
    environment = app_state.settings.environments.get(name) if app_state.settings else None
    known = _settings(environment, app_state) if environment else ()
    time = spent or time
    wide = _with_settings(words, time, when, _since(name, app_state), known)
    return Row(name, (*mark, Span(name)), (*wide, *columns))


def _with_settings(
    words: Cell, time: Cell, when: Cell, since: Cell, known: Columns
) -> tuple[Columns, Columns]:
    """Return the two widest column sets, with the settings too."""
    region, provider, profile, identity = known or ((), (), (), ())
    return (
        (words, time, when, since, region, provider, profile, identity),
        (words, time, when, region, provider, identity),
    )


def _settings(environment: Environment, app_state: AppState) -> Columns:
    """Return the region, the identity provider if that is known, the profile, the identity."""
    check, record = app_state.checks.get(environment.name), app_state.records.get(environment.name)
    metadata = (check.metadata if check else None) or (record.metadata if record else None)
    provider = PROVIDERS[metadata.identity_provider] if metadata else ""
    texts = (region_of(environment.arm), provider, environment.profile, environment.identity or "")
    return tuple((Span(text, TextStyle.DIM),) if text else () for text in texts)


def _since(name: str, app_state: AppState) -> Cell:
    """Return since when the outcome is so; nothing if this check was the first of its kind."""
    check = app_state.checks.get(name)
    since = check.since if check is not None else None
    if check is None and (known := app_state.history.get(name)) is not None and known.streaks:
        from stacktui.check.streak import since_of

        since = since_of(known.streaks)
    if since is None or since.checks == 1:
        return ()
    return (Span(f"since {moment_text(since.since, datetime.now(UTC), None)}", TextStyle.DIM),)


def is_operator(name: str, app_state: AppState) -> bool:
    """Return whether an environment that can be used has the operators' ARM endpoint."""
    known = app_state.settings.environments.get(name) if app_state.settings else None
    return known is not None and is_operator_endpoint(known.arm)


def elapsed(check: LiveCheck | None) -> tuple[Span, ...]:
    """Return the seconds since the start of a running check."""
    if check is None or not check.running or check.started is None:
        return ()
    return (Span(f"{monotonic() - check.began:.0f} s", TextStyle.DIM),)


def folded_summary(app_state: AppState, glyphs: Glyphs) -> tuple[Span, ...]:
    """Return the current environment and its state, for the folded pane."""
    if app_state.config_error:
        return (Span(f"{glyphs.failed} config", TextStyle.ERROR),)
    name = Span(app_state.current or "", TextStyle.DIM)
    if app_state.unusable is not None:
        return (name, Span(f" {glyphs.failed} config", TextStyle.ERROR))
    if app_state.environment is None:
        return (Span("none", TextStyle.DIM),)
    states = state_spans(app_state.check, glyphs) if app_state.check else ()
    return (name, *(Span(f" {span.text}", span.style) for span in states))


def empty(app_state: AppState) -> tuple[Line, ...]:
    """Return what to do if the config is broken or has no environments."""
    if app_state.config_error:
        return (
            line(Span("The config cannot be used.", TextStyle.ERROR)),
            BLANK,
            line(str(app_state.config_error)),
            BLANK,
            *how_to_fix(),
        )
    offers = [line(Span("a", TextStyle.KEY), "  add one: paste its ARM URL", indent=3)]
    if app_state.demo_on_offer:
        demo = "  demo: a simulated stamp on this machine"
        offers.append(line(Span("d", TextStyle.KEY), demo, indent=3))
    return (line("No environments yet."), BLANK, *offers)


def how_to_fix() -> tuple[Line, ...]:
    """Return the keys that help with an error of the config."""
    opens = (Span("ctrl+e", TextStyle.KEY), Span(" opens the file at that line, ", TextStyle.DIM))
    reads = (Span("r", TextStyle.KEY), Span(" reads it again.", TextStyle.DIM))
    return (line(*(() if is_read_only() else opens), *reads),)


def last_known(name: str, app_state: AppState) -> CheckSummary | None:
    """Return the last check before this start, where there has been none since."""
    known = app_state.history.get(name)
    return known.last if known is not None and name not in app_state.checks else None


def _outcome_of(last: CheckSummary) -> str:
    from stacktui.check.streak import outcome_word

    return outcome_word(last.ok, last.verdict, metadata_only=last.metadata_only)


def recalled(last: CheckSummary, glyphs: Glyphs) -> tuple[Span]:
    symbol, style = {
        True: (glyphs.ok, TextStyle.OK),
        False: (glyphs.failed, TextStyle.ERROR),
        None: (glyphs.skipped, TextStyle.DIM),
    }[last.ok]
    return (Span(f"{symbol} {_outcome_of(last)}", style),)


def duration_of(check: LiveCheck | None) -> tuple[Span, ...]:
    report = check.report if check else None
    return (Span(duration(report.seconds), TextStyle.DIM),) if report else ()


def time_of(check: LiveCheck | None) -> tuple[Span, ...]:
    return (Span(clock(check.started), TextStyle.DIM),) if check and check.started else ()
