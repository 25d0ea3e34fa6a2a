"""The webcam's video with the faces in it and, beside it, the last vote."""

import time
from typing import Any, Final

import streamlit as st
from streamlit_webrtc import VideoProcessorBase, WebRtcStreamerContext, webrtc_streamer

from emotion import config
from emotion.ensemble import Ensemble
from emotion.recognizer import Recognizer
from emotion.ui.votes import show_details, show_label
from emotion.video import NOTICES, FaceVideo, State

POLL_SECONDS: Final = 0.5
"""How often the page asks a stream for its last vote."""


class StreamProcessor(FaceVideo, VideoProcessorBase):
    """`FaceVideo`, declared as the kind of object that streamlit-webrtc calls."""


def show_webcam(models: Ensemble) -> None:
    """Draw the webcam's part of the page.

    Parameters
    ----------
    models : Ensemble
    """
    video, panel = st.columns([3, 2], gap="medium")
    with video:
        context = webrtc_streamer(
            key="webcam",
            # Without this line, a public STUN server would be asked for this computer's address.
            rtc_configuration={"iceServers": []},
            media_stream_constraints={"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}, "audio": False},
            video_html_attrs={"autoPlay": True, "muted": True, "playsInline": True, "style": {"width": "100%"}},
            video_processor_factory=lambda: StreamProcessor(Recognizer(models, config.VIDEO_DETECTION_SIDE)),
            translations={
                "select_device": "Choose camera",
                "media_api_not_available": "The browser offers no camera here; open http://localhost or an https page.",
                "device_ask_permission": "Allow the browser to use the camera.",
                "device_access_denied": "The browser may not use the camera; allow it in the settings of this site",
                "device_not_available": "No camera was found",
            },
            media_toggle_controls=False,
        )
    with panel:
        poll_seconds = POLL_SECONDS if context.state.playing else None
        st.fragment(show_last_vote, run_every=poll_seconds)(context)


def show_last_vote(context: WebRtcStreamerContext[StreamProcessor, Any]) -> None:
    """Draw what the stream has last come to.

    Parameters
    ----------
    context : WebRtcStreamerContext
        Whose processor is there while a stream is.
    """
    stream = context.video_processor
    if stream is None:
        st.info("Press Start and allow the browser to use the camera.")
        return
    snapshot = stream.snapshot
    if snapshot.state is State.FAULT:
        st.error(NOTICES[State.FAULT])
    elif snapshot.state is not State.FACES:
        st.info(NOTICES[snapshot.state])
    else:
        largest = snapshot.faces[0].vote
        show_label(largest)
        which = "One face" if len(snapshot.faces) == 1 else f"The largest of {len(snapshot.faces)} faces"
        st.caption(f"{which}, vote {snapshot.votes}, {time.monotonic() - snapshot.taken_at:.0f} s ago")
        show_details(largest)
