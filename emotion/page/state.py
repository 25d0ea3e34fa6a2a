"""What the page remembers of a visitor: in memory, as long as the page is open, and nowhere else."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st
from streamlit_webrtc import WebRtcStreamerContext

from emotion.page.camera import CONNECTING_SECONDS, LEFT, StreamProcessor
from emotion.page.face.examples import Face
from emotion.page.films.running import FilmRun
from emotion.page.recognition import RecognizedPicture
from emotion.page.sessions.kept import Contents, Recorded, keeping, session_of
from emotion.streams.watch import VideoSettings

_KEY: Final = "visit"

Source = tuple[str, Callable[[], bytes]]
"""The name of a picture, and what gives the bytes of its file."""


@dataclass(frozen=True)
class Problem:
    """Why a picture is not there.

    Attributes
    ----------
    told : str, for the visitor
    main_picture : str, the address of the one that the web page which stood there names, if it names any
    """

    told: str
    main_picture: str = ""


@dataclass
class Request:
    """Pictures that a visitor asked for, and what came of them.

    Streamlit begins a new drawing of the page before the one that it supersedes has ended: whoever changes a request
    has its `turn`.

    Attributes
    ----------
    pending : list of Source, pictures that were not looked at yet
    prefixed : bool, whether there were several, so that each problem begins with a name
    pictures : list of RecognizedPicture
    problems : list of Problem, why others are not there
    note : str, what else is to be said; mostly empty
    voted_by : tuple, the `origin` of the models whose votes the pictures have
    opened : int, optional: which of several pictures was chosen to be shown large
    chosen : dict, of each picture's key on the page which of its faces was chosen
    turn : Lock
    """

    pending: list[Source] = field(default_factory=list)
    prefixed: bool = False
    pictures: list[RecognizedPicture] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    note: str = ""
    voted_by: tuple[str, str] | None = None
    opened: int | None = None
    chosen: dict[str, int] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Visit:
    """One visitor's state.

    Attributes
    ----------
    number : str, by which it is told from another visit
    outlived : bool, whether the page was open before, and the server has forgotten that visit
    told : bool, whether this visitor has gone on from the notice
    stream : StreamProcessor, optional: the webcam session, also after it has ended: its record can be downloaded then
    settings : VideoSettings, of the webcam, as they were last chosen
    pressed : int, optional: the number of the face that the visitor has chosen among those of the webcam session
    watched : int, optional: that of the one which its panel shows, as long as nobody has chosen any
    sessions : tuple of Recorded, webcam sessions that have ended, newest first; see `keep`
    opened : dict of str to Contents or str, by the id of an upload: what is in a saved session, or why it is none
    playing : bool, whether the webcam's video ran when its part was last drawn
    turned_away : bool, whether a session found no place, and nobody has pressed anything since
    connecting_since : float, seconds of `time.monotonic`, optional: when the browser began to connect
    request : Request, the last one
    single_id : str, which upload the webcam's page last recognised in place of a video
    opened_url : str, what the page's own address last asked for
    unknown_models : str, which models it asked for that are not there, until others are chosen
    video : str, the key of the video on the page that was last drawn; empty where it has none
    offer : str, the last one that the browser made to connect a video, in the session description protocol (RFC 8866)
    drawn_at : float, seconds of `time.monotonic`, optional: when a page with a video was last drawn to its end
    face : Face, what this visitor has shown of one face
    film : FilmRun, optional: the last one, also when it has ended
    film_at : float, seconds of that film, where the player begins
    """

    number: str = field(default_factory=lambda: secrets.token_hex(8))
    outlived: bool = False
    told: bool = False
    stream: StreamProcessor | None = None
    settings: VideoSettings = field(default_factory=VideoSettings)
    pressed: int | None = None
    watched: int | None = None
    sessions: tuple[Recorded, ...] = ()
    opened: dict[str, Contents | str] = field(default_factory=dict)
    playing: bool = False
    turned_away: bool = False
    connecting_since: float | None = None
    request: Request = field(default_factory=Request)
    single_id: str = ""
    opened_url: str = ""
    unknown_models: str = ""
    video: str = ""
    offer: str = ""
    drawn_at: float | None = None
    face: Face = field(default_factory=Face)
    film: FilmRun | None = None
    film_at: float = 0.0

    def keep(self) -> None:
        """Keep the webcam session, if it has ended, whatever takes its place."""
        if self.stream is not None and self.stream.ended:
            taken = session_of(self.stream)
            newest = Recorded(taken, self.stream.why_ended, self.stream.record)
            self.sessions = keeping(newest, self.sessions)

    def leave_webcam(self) -> None:
        """End the webcam session because its part of the page is drawn no more."""
        if self.stream is not None:
            self.stream.on_ended(LEFT if self.playing else "")
        self.playing = False

    def is_late(self, context: WebRtcStreamerContext[StreamProcessor, Any]) -> bool:
        """Tell whether the first picture of a video has not come in time; to be asked again and again.

        Parameters
        ----------
        context : WebRtcStreamerContext

        Returns
        -------
        bool
        """
        arrived = context.video_processor is not None and context.video_processor.picture_bgr is not None
        if arrived or not (context.state.playing or context.state.signalling):
            self.connecting_since = None
        elif self.connecting_since is None:
            self.connecting_since = time.monotonic()
        return self.connecting_since is not None and time.monotonic() - self.connecting_since > CONNECTING_SECONDS


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
