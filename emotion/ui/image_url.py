"""A picture behind an address: every face boxed and, beside it, the votes."""

import logging
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import streamlit as st

from emotion.drawing import draw_faces
from emotion.ensemble import Ensemble
from emotion.errors import EmotionError
from emotion.faces import BGRImage, crop_square, decode_image
from emotion.fetch import fetch
from emotion.recognizer import Recognizer
from emotion.ui.votes import plain, show_details, show_label
from emotion.voting import Vote

log = logging.getLogger(__name__)

_PICTURE_SIDE: Final = 1600
_THUMBNAIL_SIDE: Final = 160
"""Pixels; what is longer on its longer side is reduced before it goes to the browser."""
_THUMBNAIL_MARGIN: Final = 0.2

_KEPT: Final = "recognized_picture"
"""Where a visitor's last picture is kept: in memory, as long as the page is open."""


@dataclass(frozen=True)
class RecognizedPicture:
    """A fetched picture and what was found in it.

    Attributes
    ----------
    address : str
    drawn_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, with boxes, reduced for display
    faces : tuple of (ndarray, Vote), largest first: the cut-out face, reduced too, and its vote
    """

    address: str
    drawn_bgr: BGRImage
    faces: tuple[tuple[BGRImage, Vote], ...]


def show_image_url(models: Ensemble) -> None:
    """Draw the form for an address and the last picture that was asked for.

    Parameters
    ----------
    models : Ensemble
    """
    with st.form("image_url", border=False):
        field, button = st.columns([5, 1], vertical_alignment="bottom")
        address = field.text_input("Address of a picture", placeholder="https://example.org/portrait.jpg")
        asked = button.form_submit_button("Recognise", type="primary", width="stretch")
    if asked:
        _recognize(address, models)
    if _KEPT in st.session_state:
        _show_picture(st.session_state[_KEPT])


def _recognize(address: str, models: Ensemble) -> None:
    """Keep what was found for this visitor, or say why there is nothing."""
    st.session_state.pop(_KEPT, None)
    try:
        with st.spinner("Fetching the picture and looking for faces…"):
            st.session_state[_KEPT] = recognize_address(address, models)
    except EmotionError as error:
        st.error(plain(str(error)))
    except Exception:  # a fault of ours: the visitor gets a sentence, the log the traceback
        log.exception("a picture could not be recognised")
        st.error("Something went wrong on the server; its log says what.")


def recognize_address(address: str, models: Ensemble) -> RecognizedPicture:
    """Fetch a picture and let the models vote on each of its faces.

    Parameters
    ----------
    address : str
    models : Ensemble

    Returns
    -------
    RecognizedPicture

    Raises
    ------
    FetchError
        If the address is refused, or what is behind it cannot be had within the limits.
    ImageError
        If it is not a picture, or too large a one.
    DetectorError
        If the face detector's file is missing or damaged.
    """
    image_bgr = decode_image(fetch(address))
    faces = Recognizer(models).recognize(image_bgr)
    cut_out = [crop_square(image_bgr, face.box, _THUMBNAIL_MARGIN) for face in faces]
    return RecognizedPicture(
        address,
        _reduced(draw_faces(image_bgr, faces), _PICTURE_SIDE),
        tuple((_reduced(crop, _THUMBNAIL_SIDE), face.vote) for crop, face in zip(cut_out, faces, strict=True)),
    )


def _reduced(image_bgr: BGRImage, longest_side: int) -> BGRImage:
    height, width = image_bgr.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1.0:
        return image_bgr
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _show_picture(picture: RecognizedPicture) -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.image(picture.drawn_bgr, channels="BGR", alt="The picture with a box around each face")
        st.text(picture.address)
    with right:
        if not picture.faces:
            st.warning("No face was found. The detector needs faces that look towards the camera and are upright.")
        if len(picture.faces) > 1:
            st.text(f"{len(picture.faces)} faces, the largest first")
        for number, (face_bgr, vote) in enumerate(picture.faces):
            _show_face(face_bgr, vote, unfolded=number == 0)


def _show_face(face_bgr: BGRImage, vote: Vote, *, unfolded: bool) -> None:
    with st.container(border=True):
        thumbnail, label = st.columns([1, 3], vertical_alignment="center")
        thumbnail.image(face_bgr, channels="BGR", width="stretch", alt="The face")
        with label:
            show_label(vote)
        with st.expander("Ballots and probabilities", expanded=unfolded):
            show_details(vote)
