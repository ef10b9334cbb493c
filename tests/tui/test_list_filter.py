"""The filter of a list as it is typed: it finds what it would find in all rows at once."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from stacktui.tui.widgets.list_pane import ListPane, Row, Rows

# Σ is another letter in lower case at the end of a word.
_TEXT = st.text("ab ΣİA", max_size=5)


@given(st.lists(_TEXT, unique=True, max_size=8), st.lists(_TEXT, min_size=1, max_size=6))
def test_typing_and_erasing_finds_what_the_whole_filter_finds(
    rows: list[str], typed: list[str]
) -> None:
    async def work() -> None:
        pane = ListPane()
        pane.show(Rows(rows, lambda key: Row(key, ()), str.lower), ())
        text = ""
        for each in typed:
            for longer in range(len(each)):
                pane._set_filter(text + each[: longer + 1])
            text = (text + each)[:-2]
            pane._set_filter(text)
            whole = ListPane()
            whole.show(Rows(rows, lambda key: Row(key, ()), str.lower), ())
            whole._set_filter(text)
            assert list(pane._matching) == list(whole._matching)

    asyncio.run(work())


def test_a_longer_filter_looks_at_what_matched_before_only() -> None:
    async def work() -> None:
        looked: list[str] = []

        def text(key: str) -> str:
            looked.append(key)
            return key

        pane = ListPane()
        pane.show(Rows(("alpha", "album", "beta"), lambda key: Row(key, ()), text), ())
        pane._set_filter("al")
        assert looked == ["alpha", "album", "beta"]
        looked.clear()
        pane._set_filter("alp")
        assert looked == ["alpha", "album"]
        looked.clear()
        pane._set_filter("al")  # shorter: all may match
        assert looked == ["alpha", "album", "beta"]

    asyncio.run(work())
