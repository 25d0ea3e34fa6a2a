"""One face through all five models: what they see, what each says, and the vote."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion import config
from emotion.errors import EmotionError
from emotion.faces.crop import FaceVector
from emotion.faces.decode import decode_image
from emotion.page.elements import crop_picture, show_heading, show_problem
from emotion.page.live.told import said_of
from emotion.page.state import visit
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import Recognizer
from emotion.vote.voting import Vote

_LONGEST_NAME: Final = 60

_PIPELINE_OF: Final = {name: number for number, names in config.MODELS_OF_PIPELINE.items() for name in names}

SeenFace = tuple[FaceVector, str]
"""A face as the models see it, and why it is not fit to be judged; empty where it is."""


def show_ballots(models: Ensemble, *, has_networks: bool) -> None:
    """Draw what each model says of a face: the one last looked at in this visit, or one of the examples.

    Parameters
    ----------
    models : Ensemble
    has_networks : bool
    """
    try:
        faces = {**_looked_at(), **_examples(models)}
    except EmotionError as error:  # of the detector, which looks for the faces of the examples
        show_problem(str(error))
        return
    if not faces:
        st.caption("There is no face to show: look at a picture on Pictures first.")
        return
    name = st.selectbox("Face", list(faces), width=320)
    vector, unfit = faces[name]
    said = models.model_probabilities(vector[None])
    vote = models.combiner.votes(said)[0].on_unfit(unfit)
    left, right = st.columns([1, 3], gap="medium")
    with left:
        st.image(crop_picture(vector), width=192, alt="The face as the models see it, 48 x 48 pixels")
        st.caption("What the models see: 48 x 48 grey pixels.")
    with right:
        st.html(_table(said[0], models, vote, "Network" if has_networks else "Pipeline"))
        with st.container(gap=None):
            show_heading(vote.label)
            st.text(said_of(vote, models.calibration.uncertain_below))
        st.html(f"<p>{escape(_vote_told(vote, is_calibrated=models.calibration.measured))}</p>")


def _looked_at() -> Mapping[str, SeenFace]:
    """Give the largest face of the picture that was last looked at, by a name."""
    for picture in reversed(visit().request.pictures):
        if picture.faces:
            first = max(picture.faces, key=lambda face: face.box.area)
            name = picture.name if len(picture.name) <= _LONGEST_NAME else f"{picture.name[: _LONGEST_NAME - 1]}…"
            return {f"Last looked at: {name}": (first.vector, first.fitness.reason)}
    return {}


def _examples(models: Ensemble) -> Mapping[str, SeenFace]:
    found = {path: _first_face(path, models) for path in sorted(config.EXAMPLES.glob("*.jpg"))}
    return {path.stem.replace("-", " "): face for path, face in found.items() if face is not None}


@st.cache_resource(max_entries=20, show_spinner=False)
def _first_face(path: Path, _models: Ensemble) -> SeenFace | None:
    """Find the largest face of an example, whoever votes on it."""
    faces = Recognizer(_models).recognize(decode_image(path.read_bytes()))
    return (faces[0].vector, faces[0].fitness.reason) if faces else None


def _table(said: NDArray[np.floating], models: Ensemble, vote: Vote, seen: str) -> str:
    """Lay out what each model says, in the order of the networks."""
    rows = "".join(
        f'<tr style="border-bottom: 1px solid #8884"><td>{_PIPELINE_OF[name]}</td><td>{name}</td>'
        f"<td>{escape(vote.ballots[place])}</td>"
        f'<td><progress value="{said[place].max():.3f}" style="width: 5rem; accent-color: #0072b2"></progress> '
        f"{said[place].max():.0%}</td></tr>"
        for name in _PIPELINE_OF
        for place in [models.model_names.index(name)]
    )
    head = f"<tr><th>{seen}</th><th>Model</th><th>Ballot</th><th>Probability</th></tr>"
    return (
        '<div style="overflow-x: auto"><table style="width: 100%; text-align: left; margin-bottom: 0.75rem">'
        f"<thead>{head}</thead><tbody>{rows}</tbody></table></div>"
    )


def _vote_told(vote: Vote, *, is_calibrated: bool) -> str:
    """Say how the ballots make the vote, and what it claims."""
    tie = "Another expression has as many ballots; the more probable one wins. " if vote.tie else ""
    mean = (
        "The mean of the five probabilities, after calibration," if is_calibrated else "The mean of the probabilities"
    )
    return f"{tie}{mean} is what the vote claims: {vote.label} {vote.probabilities[vote.label]:.0%}."
