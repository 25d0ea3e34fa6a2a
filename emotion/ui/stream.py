"""A webcam session: the video that streamlit-webrtc hands over, and the models that vote on it."""

from streamlit_webrtc import VideoProcessorBase

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
