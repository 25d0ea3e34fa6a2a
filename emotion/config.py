"""Paths and constants. Importing this module has no side effects."""

from pathlib import Path
from typing import Final

_SHIPPED: Final = Path(__file__).resolve().parent / "shipped"
"""Only in an installed package (pyproject.toml): holds what a clone has beside the package."""

ROOT: Final = _SHIPPED if _SHIPPED.is_dir() else _SHIPPED.parent.parent
"""Where lies what comes with the program: models, examples, the face detector's file, the page."""

WORKPLACE: Final = Path() if _SHIPPED.is_dir() else ROOT
"""Where goes what is made: into the clone; of an installed package, into the folder that one works in."""

MODELS: Final = ROOT / "models"
OWN_MODELS: Final = WORKPLACE / "my-models"
"""Where own training goes; a folder in it is another set of models."""
NETWORKS: Final = WORKPLACE / "networks"
ASSETS: Final = WORKPLACE / "Assets"
EXAMPLES: Final = ROOT / "docs" / "examples"
PAGE_FILE: Final = ROOT / "web_app.py"
CASCADE_FILE: Final = ROOT / "haarcascade_frontalface_default.xml"

FACE_SIDE: Final = 48
"""Pixels; a face is a square of this side."""

N_PIXELS: Final = FACE_SIDE * FACE_SIDE

EMOTIONS: Final = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
"""The seven classes of FER2013; other data sets bring their own."""

MODELS_OF_PIPELINE: Final = {1: ("model_1", "model_boost_1"), 2: ("model_2", "model_boost_2"), 3: ("model_3",)}
"""Which models take what a pipeline gives: the three experiments."""

MODEL_NAMES: Final = ("model_1", "model_2", "model_3", "model_boost_1", "model_boost_2")
"""The order of the ballots of a vote."""

MANIFEST_FILE: Final = "manifest.json"
MANIFEST_FORMAT: Final = 3

DEFAULT_DATASET: Final = "samithsachidanandan/human-face-emotions"

MAX_IMAGE_FILE_BYTES: Final = 200_000_000
MAX_IMAGE_PIXELS: Final = 52_000_000
"""Phones write 8160x6144 and less, but for what they write as JPEG only."""
MAX_JPEG_PIXELS: Final = 220_000_000
"""Phones write 16320x12240; what has more pixels than other pictures may have is read reduced."""
MAX_IMAGE_SIDE: Final = 20_000

VIDEO_SIDES: Final = (320, 640)
"""Pixels; a webcam's frame is reduced to the first on its longer side before faces are sought, a quarter of the time of
640x480; only where there is none, to the second, for somebody who sits far away."""

VOTE_INTERVAL_SECONDS: Final = 2.0
"""Time from one vote on the webcam to the next."""

SMOOTHING_SECONDS: Final = 2.0
"""Time after which a vote's weight in the smoothed one of a film has fallen to 37 %."""

LIVE_SMOOTHING_SECONDS: Final = 1.0
"""The same on a webcam, where models look twice a second: the newest look has 39 %, so that a blink does not change the
label, and a new expression does after less than a second."""

SEED: Final = 20130701
"""FER2013's challenge ended in July 2013; any fixed number does."""
