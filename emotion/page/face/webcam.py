"""The video in which a visitor poses, and what is taken of it."""

import math
import time
from typing import Any, Final

import streamlit as st
from streamlit_webrtc import WebRtcStreamerContext

from emotion.page.camera import CAUSES, StreamProcessor, browser_refusal
from emotion.page.face.drawings import drawn_face, how_to_pose
from emotion.page.face.examples import Face
from emotion.page.state import Visit, visit
from emotion.page.webcam import begin, draw_again_if_overtaken, relays_of_video, video_of
from emotion.streams.posing import FRAMES, Pose, PosingRecognizer
from emotion.streams.watch import VideoSettings
from emotion.streams.webcam import NOTICES, State
from emotion.vote.ensemble import Ensemble

LABEL_KEY: Final = "face_label"
"""Of the choice of an expression."""

_POLL_SECONDS: Final = 0.5
"""How often the page asks what was taken: a count-down goes by seconds."""
_KEY: Final = "face_webcam"


def show_video(models: Ensemble, labels: list[str]) -> None:
    """Draw the video, and the buttons that take frames of it.

    Parameters
    ----------
    models : Ensemble, whose votes are drawn
    labels : list of str, what can be posed
    """
    state = visit()
    relays = relays_of_video(state)
    if relays is None:
        return
    refusal = browser_refusal()
    video, panel = st.columns([3, 2], gap="medium")
    with video:
        context = video_of(_KEY, relays, lambda: _new_stream(models, state))
    playing = bool(context.state.playing)
    with panel:
        show_what_is_meant(st.session_state[LABEL_KEY])
        _show_buttons(state.face, labels, can_take=playing and context.video_processor is not None)
        if state.face.posed:
            st.text(state.face.posed)
        poll_seconds = _POLL_SECONDS if playing or context.state.signalling else None
        st.fragment(_refresh, run_every=poll_seconds)(context, refusal)
    state.drawn_at = time.monotonic()


def show_what_is_meant(label: str) -> None:
    """Draw a face that shows an expression, and say how it is posed; nothing for labels of the visitor's own.

    Parameters
    ----------
    label : str
    """
    if drawing := drawn_face(label):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.image(drawing, width=90, alt=f"A drawn face: {label}")
            st.text(how_to_pose(label), width=240)


def _new_stream(models: Ensemble, state: Visit) -> StreamProcessor:
    stream = StreamProcessor(models, VideoSettings(), PosingRecognizer(models, state.face.posing))
    begin(stream, state)
    state.face.stream = stream
    return stream


def _show_buttons(face: Face, labels: list[str], *, can_take: bool) -> None:
    posed = face.posing.pose is not None
    with st.container(horizontal=True):
        st.button("Take ten frames", type="primary", disabled=posed or not can_take, on_click=lambda: _take(face))
        st.button("Repeat", disabled=not (face.last and can_take), on_click=lambda: _repeat(face))
        st.button("Skip", on_click=lambda: _skip(face, labels))


def _take(face: Face) -> None:
    face.posed = ""
    face.posing.begin(st.session_state[LABEL_KEY])


def _repeat(face: Face) -> None:
    label = pose.label if (pose := face.posing.pose) else face.last
    face.discard(label)
    st.session_state[LABEL_KEY] = label
    _take(face)


def _skip(face: Face, labels: list[str]) -> None:
    face.posing.cancel()
    face.posed = ""
    st.session_state[LABEL_KEY] = _after(st.session_state[LABEL_KEY], labels)


def _after(label: str, labels: list[str]) -> str:
    return labels[(labels.index(label) + 1) % len(labels)] if label in labels else labels[0]


def take_over(face: Face, labels: list[str]) -> None:
    """Add what was posed to the examples, and go on to the next expression; to be called before the choice is drawn.

    Parameters
    ----------
    face : Face
    labels : list of str, what can be posed
    """
    pose = face.posing.finish()
    if pose is None:
        return
    face.add(pose.label, list(pose.faces))
    face.last = pose.label
    face.posed = _told(pose)
    if pose.faces:
        st.session_state[LABEL_KEY] = _after(pose.label, labels)


def _told(pose: Pose) -> str:
    why = ", ".join(f"{n} {reason}" for reason, n in pose.left_out.items())
    if pose.faces:
        frames = "1 frame" if len(pose.faces) == 1 else f"{len(pose.faces)} frames"
        return f"{pose.label}: {frames} taken." + (f" Not taken: {why}." if why else "")
    return f"{pose.label}: no frame was taken ({why or 'no picture came from the camera'}). Press Repeat."


def _refresh(context: WebRtcStreamerContext[StreamProcessor, Any], refusal: str) -> None:
    """Draw what changes without anybody's doing: the count-down, how many frames there are, and what is in the way."""
    draw_again_if_overtaken()
    state = visit()
    pose = state.face.posing.pose
    if pose is not None and pose.is_done:
        st.rerun()  # the examples, and the next expression, stand elsewhere on the page
    stream = context.video_processor
    if stream is not None and stream.turned_away:
        state.turned_away = True  # drawn without the video, which ends the connection
        st.rerun()
    if state.is_late(context):
        st.warning(CAUSES["connection"])
    elif refusal:
        st.warning(CAUSES[refusal])
    elif stream is None:
        st.info("Press Start and allow the browser to use the camera, or take pictures from files below.")
    elif pose is not None:
        _show_pose(pose)
    elif (snapshot := stream.snapshot).state is not State.FACES:
        st.info(f"{NOTICES[snapshot.state]}. {snapshot.why}" if snapshot.why else NOTICES[snapshot.state])


def _show_pose(pose: Pose) -> None:
    if pose.seconds_to_begin > 0:
        st.header(f"{math.ceil(pose.seconds_to_begin)}…", anchor=False)
        st.text(f"Show {pose.label}, and look at the camera.")
        return
    st.progress(len(pose.faces) / FRAMES)
    st.text(f"{pose.label}: {len(pose.faces)} of {FRAMES} frames. Move a little meanwhile.")
    if pose.left_out:
        st.caption("Not taken: " + ", ".join(f"{n} {reason}" for reason, n in pose.left_out.items()))
