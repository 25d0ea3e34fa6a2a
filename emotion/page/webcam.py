"""The webcam's video with the faces in it and, beside it, votes, timeline and what the session sums up to."""

import time
from collections.abc import Callable
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitInvalidLayoutContextError
from streamlit_webrtc import WebRtcStreamerContext, webrtc_streamer

from emotion import config
from emotion.page.camera import (
    CAUSES,
    StreamProcessor,
    browser_refusal,
    ice_servers,
    skip_late_frames,
)
from emotion.page.elements import MOST_UPLOAD_MB, show_details, show_label, show_problem, timeline, timeline_data
from emotion.page.pictures import answered, ask_for, show_picture
from emotion.page.server import is_full, take_place
from emotion.page.session import show_saved_session, show_session_files
from emotion.page.state import Visit, visit
from emotion.streams.drawing import vote_text
from emotion.streams.watch import VideoSettings
from emotion.streams.webcam import NOTICES, State
from emotion.vote.ensemble import Ensemble
from emotion.vote.sets import set_that_votes

POLL_SECONDS: Final = 1.0
"""How often the page asks a stream for its last vote."""

BUSY: Final = "All webcam places of this server are taken. Try again in a minute, or use the page for pictures."

_KEY: Final = "webcam"
_LARGEST: Final = "the largest"

_PALE_VIDEO: Final = "<style>iframe[title*='webrtc'] { filter: grayscale(1); opacity: 0.5; }</style>"
"""The last picture stands still with the vote that is drawn in it: nobody is to take that for what is now."""


def show_webcam(models: Ensemble) -> None:
    """Draw the webcam's page.

    Parameters
    ----------
    models : Ensemble
    """
    state = visit()
    relays = relays_of_video(state)
    if relays is None:
        if state.stream is not None:
            show_session_files(state.stream)
        return
    refusal = browser_refusal()
    settings = _chosen_settings()
    video, panel = st.columns([3, 2], gap="medium")
    with video:
        context = video_of(_KEY, relays, lambda: _new_stream(models, settings, state))
        if context.video_processor is not None:
            context.video_processor.settings = settings
            if not context.video_processor.turned_away:
                state.stream = context.video_processor
        if refusal and not context.state.playing:
            _offer_single_picture(refusal, models)
    poll_seconds = POLL_SECONDS if context.state.playing or context.state.signalling else None
    session = st.container()
    with panel:
        # One refresh for both places: each takes time, of browser and server, that the video needs.
        st.fragment(_refresh, run_every=poll_seconds)(context, refusal, models, settings, session)
    if state.stream is not None:
        show_session_files(state.stream)
    show_saved_session()
    state.drawn_at = time.monotonic()


def relays_of_video(state: Visit) -> list[dict[str, Any]] | None:
    """Give what a video needs to connect; where there can be none now, say why.

    Parameters
    ----------
    state : Visit

    Returns
    -------
    list of dict, as `emotion.page.camera.ice_servers` gives them; None where the reason was drawn
    """
    state.drawn_at = None
    try:
        relays = ice_servers()
        full = state.turned_away or is_full(state.stream, state.face.stream)
    except ValueError as error:
        show_problem(str(error))
        return None
    if full:
        st.info(BUSY)
        st.button("Try again", icon=":material/refresh:", on_click=lambda: setattr(state, "turned_away", False))
        return None
    return relays


def video_of(
    key: str, relays: list[dict[str, Any]], new_stream: Callable[[], StreamProcessor]
) -> WebRtcStreamerContext[StreamProcessor, Any]:
    """Draw the video of the visitor's camera, with Start and Stop below it.

    Parameters
    ----------
    key : str, of this video among those of the page
    relays : list of dict, of `relays_of_video`
    new_stream : callable that gives the StreamProcessor of a session that begins; called on another thread

    Returns
    -------
    WebRtcStreamerContext
    """
    _keep_stream_over_reruns(key)
    return webrtc_streamer(
        key=key,
        # Without this line, a public STUN server would be asked for this computer's address.
        rtc_configuration={"iceServers": relays},
        # A width alone: with a height, browsers would cut what wide and upright cameras see to that shape.
        media_stream_constraints={"video": {"width": {"ideal": 640}}, "audio": False},
        video_html_attrs={"autoPlay": True, "muted": True, "playsInline": True, "style": {"width": "100%"}},
        video_processor_factory=new_stream,
        translations={
            "select_device": "Choose camera",
            "media_api_not_available": "The browser offers no camera here; open http://localhost or an https page.",
            "device_ask_permission": "Allow the browser to use the camera.",
            "device_access_denied": "The browser may not use the camera; allow it in the settings of this site",
            "device_not_available": "No camera was found",
        },
        media_toggle_controls=False,
    )


def _keep_stream_over_reruns(key: str) -> None:
    """Keep streamlit-webrtc (0.79) from ending a stream that has just begun.

    It takes a stream for one of a page that was left when Streamlit's count of finished runs has grown by two since the
    component was last drawn. While a connection is made, runs follow one another so fast that the count may lag behind
    and then jump; without this, 5 of 82 sessions ended in their first seconds. Whether the page was left is known here.
    """
    stream_context = st.session_state.get(key)
    if stream_context is not None and visit().video == key:
        stream_context._last_rendered_run_count = None
    visit().video = key


def draw_again_if_overtaken() -> None:
    """Draw the whole page again if this refresh was asked for before the page's last drawing had reached the browser.

    Streamlit (1.67) runs such a refresh in a new thread and forgets what the thread before it had not yet sent
    (`AppSession.request_rerun`). Where that was the order to go on refreshing, the panels would stand still for good.
    The page's own refreshes come a whole `POLL_SECONDS` after it was drawn, or later.
    """
    drawn_at = visit().drawn_at
    if drawn_at is not None and time.monotonic() - drawn_at < POLL_SECONDS / 2:
        st.rerun()


def _chosen_settings() -> VideoSettings:
    with st.expander("Settings", icon=":material/tune:"):
        left, middle, right = st.columns(3, gap="medium", vertical_alignment="bottom")
        interval = left.slider("Seconds between votes", 0.25, 5.0, config.VOTE_INTERVAL_SECONDS, 0.25)
        smoothing = middle.slider(
            "Smoothing, seconds",
            0.5,
            10.0,
            config.SMOOTHING_SECONDS,
            0.5,
            help="After so long, an older vote has 37 % of its weight left.",
        )
        raw = right.toggle("Show raw votes", help="Each vote alone, as the five models gave it.")
    return VideoSettings(interval, smoothing, not raw)


def _new_stream(models: Ensemble, settings: VideoSettings, state: Visit) -> StreamProcessor:
    stream = StreamProcessor(models, settings)
    begin(stream, state)
    if not stream.turned_away:  # else the session before stays, to be downloaded
        state.stream = stream
    return stream


def begin(stream: StreamProcessor, state: Visit) -> None:
    """Give a new stream its place, in place of those that its visitor had before.

    Parameters
    ----------
    stream : StreamProcessor
        Turned away where others took the last place while this visitor looked at the page.
    state : Visit
    """
    for before in (state.stream, state.face.stream):
        if before is not None:
            before.on_ended()  # of one whose connection failed, or whose page was left, nobody else says so in time
    skip_late_frames()
    stream.turned_away = not take_place(stream)


def _refresh(
    context: WebRtcStreamerContext[StreamProcessor, Any],
    refusal: str,
    models: Ensemble,
    settings: VideoSettings,
    session: DeltaGenerator,
) -> None:
    """Draw what changes without anybody's doing: beside the video and, in a container of its own, below it."""
    draw_again_if_overtaken()
    _show_stream(context, refusal, models)
    stream = visit().stream
    try:
        with session:
            if stream is None:
                st.empty()  # a refresh may write only to places that the page's last drawing has written to
            else:
                _show_session(stream, settings)
    except StreamlitInvalidLayoutContextError:  # that drawing was cut short before it came here
        st.rerun()


def _show_stream(context: WebRtcStreamerContext[StreamProcessor, Any], refusal: str, models: Ensemble) -> None:
    """Draw the last vote or, where no picture has come in time, the reason and another way."""
    state = visit()
    late = state.is_late(context)
    if context.video_processor is not None and context.video_processor.turned_away:
        state.turned_away = True  # drawn without the video, which ends the connection
        st.rerun()
    if late and not refusal:
        _offer_single_picture("connection", models)
    elif context.state.playing or not refusal:  # else the reason stands below the video
        if context.video_processor is not None and context.video_processor.models.origin != models.origin:
            began, chosen = (set_that_votes(of).name for of in (context.video_processor.models, models))
            st.text(f"This session goes on with {began}, as it began. To have {chosen} vote: press Stop, then Start.")
        show_last_vote(context, refusal)


def _offer_single_picture(cause: str, models: Ensemble) -> None:
    """Say why there is no video, and recognise a single picture in its place."""
    state = visit()
    st.warning(CAUSES[cause])
    if cause == "connection":
        taken = st.camera_input("Take a single picture instead")
    else:  # the browser would refuse its camera here too; telephones offer theirs with the choice of files
        taken = st.file_uploader("Choose a picture instead", max_upload_size=MOST_UPLOAD_MB)
    if taken is None:
        return
    if taken.file_id != state.single_id:  # once, not at every refresh
        state.single_id = taken.file_id
        ask_for([(taken.name, taken.getvalue)])
    for picture in answered(models):
        show_picture(picture, models, key="single")


def show_last_vote(context: WebRtcStreamerContext[StreamProcessor, Any], refusal: str = "") -> None:
    """Draw what the stream has last come to.

    Parameters
    ----------
    context : WebRtcStreamerContext
        Whose processor is there while a stream is.
    refusal : str, one of `emotion.page.camera.CAUSES` if the browser has said so of the camera
    """
    stream = context.video_processor
    if stream is None:
        again = " Should the video break off in its first seconds, press it once more." if visit().stream else ""
        st.info(f"Press Start and allow the browser to use the camera.{again}")
        return
    snapshot = stream.snapshot
    if snapshot.state is State.FAULT:
        st.error(NOTICES[State.FAULT])
        return
    if snapshot.state is State.STALLED or refusal == "ended":
        st.warning(CAUSES[refusal or "stalled"])
        st.html(_PALE_VIDEO)
        moments = stream.record.moments()
        last = next((moment for moment in reversed(moments) if moment.faces), None)
        if last is not None:
            shown = vote_text(last.faces[0].shown(smoothed=stream.settings.show_smoothed))
            seconds_ago = snapshot.seconds_ago + moments[-1].seconds - last.seconds
            st.caption(f"The last vote on a face was {shown}, {seconds_ago:.0f} s ago.")
        return
    if snapshot.state is State.SLOW:
        st.warning(NOTICES[State.SLOW])
    elif snapshot.state is not State.FACES or not snapshot.faces:
        notice = NOTICES[State.WAITING if snapshot.state is State.FACES else snapshot.state]
        st.info(f"{notice}. {snapshot.why}" if snapshot.why and snapshot.state is State.NO_FACE else notice)
    if not snapshot.faces:
        return
    numbers = sorted(face.number for face in snapshot.faces)
    chosen = st.selectbox("Face", [_LARGEST, *numbers], key="webcam_face") if len(numbers) > 1 else _LARGEST
    face = next((face for face in snapshot.faces if face.number == chosen), snapshot.faces[0])
    vote = face.shown(smoothed=stream.settings.show_smoothed)
    show_label(vote)
    which = f"Face {face.number}" + (f", one of {len(numbers)}" if len(numbers) > 1 else "")
    st.caption(f"{which}, vote {snapshot.votes}, {snapshot.seconds_ago:.0f} s ago")
    show_details(vote, stream.models)


def _show_session(stream: StreamProcessor, settings: VideoSettings) -> None:
    """Draw the timeline of the session and its summary."""
    st.subheader("This session", anchor=False)
    moments = stream.record.moments()
    if not moments:
        return
    classes = stream.models.classes
    course = timeline_data(moments, classes, smoothed=settings.show_smoothed)
    st.vega_lite_chart(course, timeline(classes), width="stretch", key="timeline")
    if summary := stream.record.summary(smoothed=settings.show_smoothed):
        shares = ", ".join(f"{label} {share:.0%}" for label, share in summary.shares.items())
        st.text(
            f"{summary.seconds:.0f} seconds with a face: {shares}. Longest stretch: {summary.longest_label}, "
            f"{summary.longest_seconds:.0f} s. Changes: {summary.changes}."
        )
    if stream.record.dropped:
        st.caption(f"The table of the session holds its last {len(moments):,} moments; older ones are kept no more.")
