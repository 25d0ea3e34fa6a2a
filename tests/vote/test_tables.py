"""Recognised faces as a DataFrame: what a notebook or a script goes on with."""

import subprocess
import sys

import numpy as np

import emotion
from emotion import config
from emotion.faces.detect import Box
from emotion.faces.fitness import Fitness
from emotion.vote.recognizer import FaceEmotion
from emotion.vote.tables import FACE_COLUMNS, vote_columns
from emotion.vote.voting import Vote

FIT = Fitness(score=0.9, side=60, tilt=0.0, turn=0.0, sharpness=0.8, brightness=120.0)


def face(label: str, share: float, x: int = 3) -> FaceEmotion:
    shares = {"Happy": share, "Sad": 1 - share}
    vote = Vote(label, (label,) * 5, shares, tie=False, uncertain=share < 0.7)
    return FaceEmotion(Box(x, 4, 50, 60), vote, np.zeros(config.N_PIXELS, dtype=np.uint8), FIT)


def test_the_faces_of_a_picture_become_rows_of_a_dataframe() -> None:
    table = emotion.to_frame([face("Happy", 0.9), face("Happy", 0.6, x=100)])
    assert list(table.columns) == [*FACE_COLUMNS, *vote_columns(("Happy", "Sad"), config.MODEL_NAMES)]
    assert table["face"].tolist() == [1, 2]
    assert table[["x", "y", "width", "height"]].loc[1].tolist() == [100, 4, 50, 60]
    assert table["uncertain"].tolist() == [False, True]
    assert np.allclose(table["p_Sad"], [0.1, 0.4])
    assert table.loc[table["uncertain"], "model_1"].tolist() == ["Happy"]


def test_the_faces_of_several_pictures_keep_the_names_of_these() -> None:
    table = emotion.to_frame(
        {"a.jpg": [face("Happy", 0.9)], "b.jpg": [], "c.jpg": [face("Sad", 0.2), face("Sad", 0.1)]}
    )
    assert table["picture"].tolist() == ["a.jpg", "c.jpg", "c.jpg"]
    assert table["face"].tolist() == [1, 1, 2]


def test_no_faces_make_an_empty_table() -> None:
    assert list(emotion.to_frame([]).columns) == [*FACE_COLUMNS, *vote_columns((), config.MODEL_NAMES)]
    assert emotion.to_frame({"a.jpg": []})["picture"].tolist() == []


def test_recognition_itself_does_without_pandas() -> None:
    """It takes 50 MB in each process."""
    code = (
        "import sys, numpy, emotion; emotion.Recognizer(emotion.load_models()).recognize("
        "numpy.zeros((90, 90, 3), numpy.uint8)); import emotion.vote.tables, emotion.bulk.folders; "
        "assert 'pandas' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=config.ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
