"""Which models vote, as the visitor chooses."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from emotion import config
from emotion.page.state import visit
from emotion.vote.sets import ModelSet, find_sets

_FOLDER_VARIABLE: Final = "EMOTION_MODELS"
_KEY: Final = "models"
"""Of the choice in the page's address, too."""


def choose_models(*, all_problems: bool) -> tuple[ModelSet | None, list[str]]:
    """Have the visitor choose among the sets of models that are there; where there is one, nothing is asked.

    At first it is the set that `EMOTION_MODELS` names or else the one that ships, unless the page's address names
    another, as in ``?models=my-models``.

    Parameters
    ----------
    all_problems : bool
        Whether to tell of each set that cannot be read, or only where the visitor does not get what was asked for.

    Returns
    -------
    chosen : ModelSet, or None where there is none
    problems : list of str, sentences
    """
    state = visit()
    named = os.environ.get(_FOLDER_VARIABLE) or None
    sets, unreadable = find_sets(named)
    by_name = {found.name: found for found in sets}
    asked = st.query_params.get(_KEY, "")
    if asked and asked not in by_name:
        state.unknown_models = asked  # Streamlit takes it out of the address
    if not sets:
        return None, unreadable
    chosen = sets[0].name
    if len(sets) > 1:
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            st.caption("Models that vote", width="content")  # beside the choice: above, it would push the video down
            chosen = st.selectbox(
                "Models that vote",
                list(by_name),
                key=_KEY,
                bind="query-params",
                on_change=lambda: setattr(state, "unknown_models", ""),
                label_visibility="collapsed",
                width=220,
            )
    problems = []
    if state.unknown_models and state.unknown_models not in by_name:  # it may have been trained meanwhile
        there = ", ".join(by_name)
        problems.append(f"No models are called {state.unknown_models} here. There are: {there}. Now {chosen} vote.")
    if all_problems or problems or sets[0].folder != Path(named or config.MODELS):
        problems += unreadable
    return by_name[chosen], problems
