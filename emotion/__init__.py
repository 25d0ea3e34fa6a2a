"""Recognition of facial expressions by five models that vote: what scripts, notebooks and the page share."""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from emotion.vote.ensemble import Ensemble
    from emotion.vote.loading import load_models
    from emotion.vote.recognizer import FaceEmotion, Recognizer
    from emotion.vote.tables import to_frame
    from emotion.vote.voting import Vote

__all__ = ["Ensemble", "FaceEmotion", "Recognizer", "Vote", "load_models", "to_frame"]

_PLACES: Final = {
    "Ensemble": "vote.ensemble",
    "FaceEmotion": "vote.recognizer",
    "Recognizer": "vote.recognizer",
    "Vote": "vote.voting",
    "load_models": "vote.loading",
    "to_frame": "vote.tables",
}


def __getattr__(name: str) -> Any:
    # Only when asked for: whoever makes a table of pictures, here or on a cluster, needs no models.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
