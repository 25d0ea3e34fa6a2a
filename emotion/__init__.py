"""Recognition of facial expressions by five models that vote: what scripts, notebooks and the page share."""

from emotion.ensemble import Ensemble, load_models
from emotion.recognizer import FaceEmotion, Recognizer
from emotion.voting import Vote

__all__ = ["Ensemble", "FaceEmotion", "Recognizer", "Vote", "load_models"]
