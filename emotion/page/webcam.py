"""The webcam's video with the faces in it and, beside it, the vote, its probabilities and the last minute."""

import time
from collections.abc import Callable
from typing import Any, Final

import streamlit as st
from streamlit_webrtc import WebRtcStreamerContext, webrtc_streamer
from streamlit_webrtc.component import _reset_context, generate_frontend_component_key

from emotion.page.camera import (
    CAUSES,
    StreamProcessor,
    browser_refusal,
    ice_servers,
    skip_late_frames,
)
from emotion.page.elements import MOST_UPLOAD_MB, show_problem
from emotion.page.live.beside import show_panel
from emotion.page.pictures import answered, ask_for, show_picture
from emotion.page.server import is_full, take_place
from emotion.page.sessions.earlier import show_sessions
from emotion.page.sessions.running import show_session_files
from emotion.page.state import Visit, visit
from emotion.streams.watch import VideoSettings
from emotion.vote.ensemble import Ensemble

POLL_SECONDS: Final = 0.5
"""How often the page asks a stream for its last vote."""

INTERVALS: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Seconds between votes that can be chosen."""

SMOOTHINGS: Final = {0.5: "quick", 1.0: "usual", 2.0: "rather calm", 4.0: "calm", 10.0: "very calm"}
"""Time constants of smoothing that can be chosen, seconds, and their names."""

BUSY: Final = "All webcam places of this server are taken. Try again in a minute, or use the page for pictures."

_KEY: Final = "webcam"

_VIDEO_STYLE: Final = {"width": "100%", "maxHeight": "max(75vw, min(100vw, 22.5rem))"}
"""In its frame, whose width is 100vw: no higher than 4:3 or, where that is little, as on a phone, than it is wide."""


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
            with st.container(horizontal=True):
                show_session_files(state.stream)
        show_sessions()
        return
    refusal = browser_refusal()
    video, panel = st.columns([1, 1], gap="medium")
    controls = st.container(horizontal=True, vertical_alignment="bottom", key="webcam_controls")
    with controls:
        settings = _chosen_settings(state)
    with video.container(key="webcam_video"):
        context = video_of(_KEY, relays, lambda: _new_stream(models, settings, state))
        state.playing = bool(context.state.playing)
        if context.video_processor is not None:
            context.video_processor.settings = settings
            if not context.video_processor.turned_away:
                state.stream = context.video_processor
        if refusal and not context.state.playing:
            _offer_single_picture(refusal, models)
    poll_seconds = POLL_SECONDS if context.state.playing or context.state.signalling else None
    with panel:
        st.fragment(_refresh, run_every=poll_seconds)(context, refusal, models)
    if state.stream is not None:
        with controls:
            show_session_files(state.stream)
    show_sessions()
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
    _forget_connection_before(key)
    return webrtc_streamer(
        key=key,
        # Without this line, a public STUN server would be asked for this computer's address.
        rtc_configuration={"iceServers": relays},
        # A width alone: with a height, browsers would cut what wide and upright cameras see to that shape.
        media_stream_constraints={"video": {"width": {"ideal": 640}}, "audio": False},
        video_html_attrs={
            "autoPlay": True,
            "muted": True,
            "playsInline": True,
            "style": _VIDEO_STYLE,
            "aria-label": "Your camera, mirrored, with a box and the vote on each face",
        },
        video_processor_factory=new_stream,
        translations={
            "select_device": "Choose camera",
            "media_api_not_available": "The browser offers no camera here; open http://localhost or an https page.",
            "device_ask_permission": "Allow the browser to use the camera.",
            "device_access_denied": "The browser is not allowed to use the camera.",
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


def _forget_connection_before(key: str) -> None:
    """Let go of what connected the session before once the browser offers to connect anew.

    streamlit-webrtc (0.79) does so at a drawing between Stop and Start. A server that has much to do may come to no
    such drawing: it would then never answer the new offer, and the video would not begin until the next Stop.
    """
    context = st.session_state.get(key)
    value = st.session_state.get(generate_frontend_component_key(key)) or {}
    offer = (value.get("sdpOffer") or {}).get("sdp")
    state = visit()
    if context is not None and offer and offer != state.offer:
        connecting = context.state
        _reset_context(context)
        context._set_state(connecting)
        state.offer = offer


def draw_again_if_overtaken() -> None:
    """Draw the whole page again if this refresh was asked for before the page's last drawing had reached the browser.

    Streamlit (1.67) runs such a refresh in a new thread and forgets what the thread before it had not yet sent
    (`AppSession.request_rerun`). Where that was the order to go on refreshing, the panels would stand still for good.
    The page's own refreshes come a whole `POLL_SECONDS` after it was drawn, or later.
    """
    drawn_at = visit().drawn_at
    if drawn_at is not None and time.monotonic() - drawn_at < POLL_SECONDS / 2:
        st.rerun()


def _chosen_settings(state: Visit) -> VideoSettings:
    kept = state.settings
    with st.popover("Settings", icon=":material/tune:"):
        # Given at each drawing: what is set once is lost where a busy server draws twice before the browser does.
        interval = st.select_slider(
            "Seconds between votes",
            INTERVALS,
            kept.interval_seconds,
            format_func=lambda seconds: f"{seconds:g}",
            key="webcam_interval",
        )
        raw = st.toggle(
            "Show raw votes", not kept.show_smoothed, key="webcam_raw", help="Each vote alone, without smoothing."
        )
        smoothing = st.select_slider(
            "Smoothing",
            list(SMOOTHINGS),
            kept.smoothing_seconds,
            format_func=lambda seconds: f"{SMOOTHINGS[seconds]} ({seconds:g} s)",
            key="webcam_smoothing",
            disabled=raw,
            help="The calmer, the less a moment changes, and the longer a new expression takes to show.",
        )
    state.settings = VideoSettings(interval, smoothing, not raw)
    return state.settings


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
    state.keep()
    state.pressed = state.watched = None  # each session numbers its faces anew
    skip_late_frames()
    stream.turned_away = not take_place(stream)


def _refresh(context: WebRtcStreamerContext[StreamProcessor, Any], refusal: str, models: Ensemble) -> None:
    """Draw what changes without anybody's doing: the panel beside the video or, where no picture has come in time, the
    reason and another way.
    """
    draw_again_if_overtaken()
    state = visit()
    late = state.is_late(context)
    if context.video_processor is not None and context.video_processor.turned_away:
        state.turned_away = True  # drawn without the video, which ends the connection
        st.rerun()
    if late and not refusal:
        _offer_single_picture("connection", models)
    elif context.state.playing or not refusal:  # else the reason stands below the video
        show_panel(context.video_processor, refusal, models)


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
