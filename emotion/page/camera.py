"""The visitor's camera: why it cannot start, how it reaches the server, and the video that comes from it.

Why not is asked of the browser, which alone knows, and of the clock.
"""

import os
from collections.abc import Mapping
from typing import Any, Final

import streamlit as st
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc import VideoProcessorBase
from streamlit_webrtc.process import AsyncVideoProcessTrack
from streamlit_webrtc.relay import get_global_relay

from emotion.streams.watch import VideoSettings
from emotion.streams.webcam import FaceVideo, State
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import VideoRecognizer

CONNECTING_SECONDS: Final = 10.0
"""A connection that was not established by then will not be."""

CAUSES: Final = {
    "insecure": "Browsers give the camera only to pages on https or on this computer itself: open "
    "http://localhost:8501 on it, or serve the page through https.",
    "none": "The browser finds no camera. Connect one, or close the program that is using it, and reload the page.",
    "denied": "The browser is not allowed to use the camera: allow it in the settings of this site, beside the "
    "address, and reload the page.",
    "dismissed": "The browser's question about the camera was closed without an answer: press Start again, and allow "
    "it.",
    "busy": "The browser cannot open the camera: another program or tab is using it, or its driver has stopped. Close "
    "that program, or connect the camera anew, and press Start again.",
    "overconstrained": "The camera that was chosen is not there, or does not give such a video. Choose another one "
    "above, and press Start again.",
    "other": "The browser did not open the camera and does not say why. Reload the page, or try another browser.",
    "ended": "The camera has stopped: it was unplugged, put to sleep, or taken by another program. See that it "
    "is connected; press Stop where that is offered, then Start again.",
    "stalled": "No pictures come from the camera any more: another program may have taken it, this computer may have "
    "slept, or the network is interrupted. Press Stop, then Start again.",
    "connection": "The video connection was not established within ten seconds. Between this computer and the server "
    "there is a firewall or a router; whoever runs the server can set EMOTION_TURN (see docs/page.md).",
}
"""What to do, for each cause."""

LEFT: Final = "Ended because you left this part."
STOPPED: Final = "Stopped."
NO_PICTURES: Final = "Ended because no pictures came from the camera any more."

_ASK_BROWSER: Final = """
const causes = {
  AbortError: "busy", NotAllowedError: "denied", NotFoundError: "none", NotReadableError: "busy",
  OverconstrainedError: "overconstrained", SecurityError: "denied", TrackStartError: "busy",
};
const causeOf = (error) => /dismiss/i.test(error.message) ? "dismissed" : causes[error.name] || "other";
// The camera is asked for in a frame of this page. What the browser answers there is heard here.
const cameras = () => [...document.querySelectorAll('iframe[title*="webrtc"]')]
  .map((frame) => frame.contentWindow?.navigator?.mediaDevices).filter(Boolean);
const hear = (camera, outcome) => { camera.outcome = outcome; camera.look(); };

export default function ({ setStateValue, data }) {
  let gone = false;
  let told = data.known;
  const tell = (cause) => { if (!gone && cause !== told) setStateValue("cause", told = cause); };
  const expected = async () => {
    if (!window.isSecureContext || !navigator.mediaDevices) return "insecure";
    try {
      const permission = await navigator.permissions.query({ name: "camera" });
      permission.onchange = look;
      if (permission.state === "denied") return "denied";
    } catch { /* this browser does not tell; its own message will */ }
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.some((device) => device.kind === "videoinput") ? "" : "none";
  };
  const look = async () => {
    const cause = await expected();
    tell(cameras().map((camera) => camera.outcome).find(Boolean) || cause);
  };
  const listen = () => cameras().forEach((camera) => {
    camera.look = look;
    if (camera.ask) return;
    camera.ask = camera.getUserMedia.bind(camera);
    camera.getUserMedia = async (wish) => {
      hear(camera, "");
      try {
        const stream = await camera.ask(wish);
        stream.getVideoTracks().forEach((track) => track.addEventListener("ended", () => hear(camera, "ended")));
        return stream;
      } catch (error) {
        hear(camera, causeOf(error));
        // The frame writes name and message; of the name, it needs this one to try without the chosen camera.
        const name = error.name === "OverconstrainedError" ? error.name : "No camera";
        throw Object.assign(new Error("the reason stands below."), { name });
      }
    };
  });
  listen();
  look();
  const listening = setInterval(listen, 250);
  if (navigator.mediaDevices) navigator.mediaDevices.ondevicechange = look;
  return () => { gone = true; clearInterval(listening); };
}
"""


def browser_refusal() -> str:
    """Ask the visitor's browser whether it has a camera for this page.

    Returns
    -------
    str, one of `CAUSES`; empty as long as nothing speaks against it
    """
    key = "camera_check"
    known = st.session_state.get(key, {}).get("cause", "")
    check = st.components.v2.component("camera_check", js=_ASK_BROWSER)
    answer = check(key=key, data={"known": known}, default={"cause": ""}, on_cause_change=lambda: None)
    return answer.cause if answer.cause in tuple(CAUSES) else ""  # a browser may send anything


def ice_servers(environment: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """Read which servers help browsers to connect from afar; none is contacted by default.

    Parameters
    ----------
    environment : mapping
        `EMOTION_STUN`, as in ``stun:stun.example.org:3478``; `EMOTION_TURN`, as in ``turn:turn.example.org:3478``, with
        `EMOTION_TURN_USER` and `EMOTION_TURN_PASSWORD`. Several addresses are separated by commas.

    Returns
    -------
    list of dict, as `RTCConfiguration.iceServers` takes them

    Raises
    ------
    ValueError
        If an address does not begin with its kind.
    """
    servers: list[dict[str, Any]] = []
    for name, kinds in (("EMOTION_STUN", ("stun:", "stuns:")), ("EMOTION_TURN", ("turn:", "turns:"))):
        urls = [url.strip() for url in environment.get(name, "").split(",") if url.strip()]
        if not urls:
            continue
        wrong = [url for url in urls if not url.startswith(kinds)]
        if wrong:
            raise ValueError(f"{name} must be addresses such as {kinds[0]}example.org:3478, not {wrong[0]}.")
        server: dict[str, Any] = {"urls": urls}
        if name == "EMOTION_TURN":
            server["username"] = environment.get("EMOTION_TURN_USER", "")
            server["credential"] = environment.get("EMOTION_TURN_PASSWORD", "")
        servers.append(server)
    return servers


class StreamProcessor(FaceVideo, VideoProcessorBase):
    """`FaceVideo`, declared as the kind of object that streamlit-webrtc calls.

    Parameters
    ----------
    models : Ensemble
    settings : VideoSettings
    recognizer : VideoRecognizer, optional, of these models

    Attributes
    ----------
    models : Ensemble, which vote as long as the session lasts, whatever is chosen meanwhile
    why_ended : str, a sentence; empty until then
    """

    def __init__(self, models: Ensemble, settings: VideoSettings, recognizer: VideoRecognizer | None = None) -> None:
        super().__init__(recognizer or VideoRecognizer(models), models.calibration.uncertain_below, settings)
        self.models = models
        self.why_ended = ""

    def on_ended(self, why: str = "") -> None:
        """End the session; may be called more than once, on any thread.

        Parameters
        ----------
        why : str, a sentence; without one, whether pictures still came says it. It takes the place of `STOPPED`, which
            the end of the connection may have said before.
        """
        if not self.ended or (why and self.why_ended == STOPPED):
            self.why_ended = why or (NO_PICTURES if self.snapshot.state is State.STALLED else STOPPED)
        super().on_ended()


def skip_late_frames() -> None:
    """Have streams skip frames that are too late to be sent; to be called before a stream is made.

    streamlit-webrtc (0.79) lets drawn frames queue without limit where the computer is too slow to send them all. In 40
    seconds of four sessions on two cores, up to 130 came to wait in each, while 11 were sent a second: twelve seconds
    of delay. All streams share one relay, so calling this again changes nothing. What comes from the camera still
    queues, for it is taken at once; without that, a twentieth of the frames was lost even with time to spare.

    Raises
    ------
    RuntimeError
        If Streamlit does not run, whose streams these are.
    """
    relay = get_global_relay()

    def subscribe(track: MediaStreamTrack, buffered: bool = True) -> MediaStreamTrack:
        return MediaRelay.subscribe(relay, track, buffered and not isinstance(track, AsyncVideoProcessTrack))

    relay.subscribe = subscribe  # type: ignore[method-assign]
