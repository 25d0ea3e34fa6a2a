"""A webcam session: the video that streamlit-webrtc hands over, and the models that vote on it."""

from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc import VideoProcessorBase
from streamlit_webrtc.process import AsyncVideoProcessTrack
from streamlit_webrtc.relay import get_global_relay

from emotion import config
from emotion.ensemble import Ensemble
from emotion.recognizer import Recognizer
from emotion.video import FaceVideo, VideoSettings


class StreamProcessor(FaceVideo, VideoProcessorBase):
    """`FaceVideo`, declared as the kind of object that streamlit-webrtc calls.

    Parameters
    ----------
    models : Ensemble
    settings : VideoSettings

    Attributes
    ----------
    models : Ensemble, which vote as long as the session lasts, whatever is chosen meanwhile
    """

    def __init__(self, models: Ensemble, settings: VideoSettings) -> None:
        recognizer = Recognizer(models, config.VIDEO_DETECTION_SIDE)
        super().__init__(recognizer, models.calibration.uncertain_below, settings)
        self.models = models


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
