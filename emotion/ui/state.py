"""What the page remembers of a visitor: in memory, as long as the page is open, and nowhere else."""

from dataclasses import dataclass, field
from typing import Final

import streamlit as st

from emotion.ui.recognition import RecognizedPicture
from emotion.ui.stream import StreamProcessor

_KEY: Final = "visit"


@dataclass
class Visit:
    """One visitor's state.

    Attributes
    ----------
    stream : StreamProcessor, optional: the webcam session, also after it has ended: its record can be downloaded then
    is_live : bool, whether the webcam's page was the last that was drawn, and a session was on it or about to be
    connecting_since : float, seconds of `time.monotonic`, optional: when the browser began to connect
    answers : str, which of `emotion.ui.models.models_folders` were chosen; none of them until there was a choice
    pictures : list of RecognizedPicture, of the last request
    voted_by : tuple, the `origin` of the models whose votes these pictures have
    problems : list of str, why others of the last request are not there
    single_id : str, which upload the webcam's page last recognised in place of a video
    opened_url : str, what the page's own address last asked for
    on_webcam : bool, whether the webcam's page was the last that was drawn
    drawn_at : float, seconds of `time.monotonic`, optional: when the webcam's page was last drawn to its end
    """

    stream: StreamProcessor | None = None
    is_live: bool = False
    connecting_since: float | None = None
    answers: str = ""
    pictures: list[RecognizedPicture] = field(default_factory=list)
    voted_by: tuple[str, str] | None = None
    problems: list[str] = field(default_factory=list)
    single_id: str = ""
    opened_url: str = ""
    on_webcam: bool = False
    drawn_at: float | None = None


def visit() -> Visit:
    """Give the state of the visitor whose page is being drawn.

    Returns
    -------
    Visit
    """
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Visit()
    state: Visit = st.session_state[_KEY]
    return state
