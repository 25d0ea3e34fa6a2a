"""What was found in pictures: a grid of them, one of them large, and of one of its faces what the models say."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import PurePath
from typing import Final

import streamlit as st

from emotion.page.downloads import offer_download
from emotion.page.live.panel import show_vote
from emotion.page.pictures.choosing import choose_face, choose_picture, short_name
from emotion.page.pictures.reason import show_face, show_reason
from emotion.page.recognition import (
    LOSSLESS_SIDE,
    RecognizedPicture,
    as_one_face,
    drawn,
    encode_png,
    pictures_csv,
)
from emotion.page.sessions.files import zone_of_visitor
from emotion.page.state import Request, visit
from emotion.streams.session.table import dated_name
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import FaceEmotion

_LONGEST_STEM: Final = 60
_SHARE_OF_SQUARE, _LEAST_SHARE, _MOST_SHARE = 0.5, 0.35, 0.6
"""Of the width, what a square picture has beside what is said of it, and what any has at least and at most: pictures
are as high as fits a window."""


@st.fragment
def show_results(pictures: Sequence[RecognizedPicture], models: Ensemble) -> None:
    """Draw pictures; of several, a grid, of which one is open. Only this is drawn anew when one is chosen.

    Parameters
    ----------
    pictures : sequence of RecognizedPicture, at least one
    models : Ensemble
    """
    request = visit().request
    if len(pictures) == 1:
        show_picture(pictures[0], models, key="picture_0")
    else:
        opened = _opened(request, pictures)
        grid, large = st.columns([1, 4], gap="medium")
        with grid:
            choose_picture(pictures, opened, "pictures_grid", partial(_open, request))
        with large:
            show_picture(pictures[opened], models, key=f"picture_{opened}")
    if any(picture.faces for picture in pictures):
        offer_download(
            "Results as CSV",
            lambda: pictures_csv(pictures, models),
            dated_name("faces", datetime.now(zone_of_visitor()), "csv"),
            "text/csv",
        )


def _opened(request: Request, pictures: Sequence[RecognizedPicture]) -> int:
    """Give which picture is large: the one that was chosen, or else the first with a face."""
    if request.opened is not None and request.opened < len(pictures):
        return request.opened
    return next((number for number, picture in enumerate(pictures) if picture.faces), 0)


def _open(request: Request, number: int) -> None:
    request.opened = number


def show_picture(picture: RecognizedPicture, models: Ensemble, key: str) -> None:
    """Draw a picture large, with its faces, of which one is chosen.

    Parameters
    ----------
    picture : RecognizedPicture
    models : Ensemble
    key : str, of this picture among those on the page
    """
    request = visit().request
    chosen = min(request.chosen.get(key, 0), max(0, len(picture.faces) - 1))
    width, height = picture.size
    share = min(_MOST_SHARE, max(_LEAST_SHARE, _SHARE_OF_SQUARE * width / height))
    left, right = st.columns([share, 1 - share], gap="medium")
    with left:
        choose_face(picture, chosen, "faces", partial(request.chosen.__setitem__, key))
        with st.container(gap="xsmall"):
            st.text(picture.name)
            if picture.note:
                st.caption(picture.note)
            if len(picture.faces) > 1:
                st.caption(
                    f"{len(picture.faces)} faces found. Is somebody missing? Faces that are turned away, small or "
                    "covered are not always found."
                )
        if picture.faces:
            # Encoded when it is asked for, not at every drawing of the page.
            offer_download(
                "Annotated picture",
                lambda: encode_png(drawn(picture)),
                f"{file_stem(picture.name)}-annotated.png",
                "image/png",
                key=f"{key}_png",
            )
    with right:
        if picture.faces:
            _show_face(picture.faces[chosen], models)
        else:
            _offer_whole(picture, models, key)


def file_stem(name: str) -> str:
    """Give what an annotated picture is called after: the file that it came from, in letters that every system takes.

    Parameters
    ----------
    name : str, a file's name or an address

    Returns
    -------
    str, not empty
    """
    return re.sub(r"[^\w.-]+", "-", PurePath(short_name(name)).stem)[:_LONGEST_STEM].strip("-.") or "picture"


def _offer_whole(picture: RecognizedPicture, models: Ensemble, key: str) -> None:
    """Say why there may be no face; of a small picture, offer to take it for one."""
    st.warning(f"No face was found. {picture.why}")
    if max(picture.size) <= LOSSLESS_SIDE and st.button("Take the whole picture as a face", key=f"{key}_whole"):
        request = visit().request
        with request.turn:
            request.pictures = [as_one_face(p, models) if p is picture else p for p in request.pictures]
        st.rerun()


def _show_face(face: FaceEmotion, models: Ensemble) -> None:
    show_vote(face.vote, models, key="vote")
    if st.toggle("Why this vote?", key="why", help="Covers each part of the face in turn."):
        show_reason(face.vector, face.vote, models)
    else:
        show_face(face.vector)
