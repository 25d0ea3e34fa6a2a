"""Whether models that learnt the visitor's face vote: a switch beside the title, and what it comes to."""

from typing import Final

import streamlit as st

from emotion.page.state import visit
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import manifest_checksum
from emotion.vote.sets import ModelSet

OUTDATED: Final = (
    "Other models are chosen now, and they have not learnt your face. In the part Your face, press Learn, or open a "
    "file that fits them."
)

_KEY: Final = "for_my_face"


def switch(chosen: ModelSet | None) -> None:
    """Draw the switch, where models have learnt a face; where others are chosen since, forget what these learnt.

    Parameters
    ----------
    chosen : ModelSet, the models that are chosen; None where there are none
    """
    face = visit().face
    if chosen is not None and (checksum := manifest_checksum(chosen.folder)):
        face.keep_for(checksum)
    if face.used is not None:
        st.toggle(
            "For my face", key=_KEY, help="On: the models that learnt your face vote. Off: those that know nobody."
        )


def use() -> None:
    """Have the models that learnt the face vote from now on; to be called before the switch is drawn."""
    face = visit().face
    face.used = face.learnt
    st.session_state[_KEY] = True


def those_that_vote(models: Ensemble) -> Ensemble:
    """Give the models that vote for this visitor.

    Parameters
    ----------
    models : Ensemble, as chosen

    Returns
    -------
    Ensemble
    """
    face = visit().face
    return face.used.models if face.used is not None and st.session_state.get(_KEY) else models
