"""Pictures of any origin -> what the page shows of them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import cv2
import numpy as np

from emotion.faces.crop import FaceVector
from emotion.faces.decode import decode
from emotion.faces.detect import Box
from emotion.faces.fitness import why_no_face
from emotion.faces.pixels import BGRImage
from emotion.streams.drawing import Mark, draw_marks, marks, with_room
from emotion.streams.posing import face_of
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import FaceEmotion, Recognizer
from emotion.vote.sets import set_that_votes
from emotion.vote.tables import FACE_COLUMNS, to_csv, vote_cells, vote_columns

_PICTURE_SIDE: Final = 1460
"""Pixels; what is longer on its longer side is reduced before it goes to the browser. Streamlit (1.67) reduces what is
wider than this by itself, and fails where nothing is left of the height."""

LOSSLESS_SIDE: Final = 400
"""Pixels; a picture up to this size may be a face that somebody cut out, and is kept as it is; a larger one as JPEG."""

_JPEG_QUALITY: Final = 92
_THUMBNAIL_SIDE: Final = 160

_one_at_a_time = threading.Lock()
"""The largest picture takes 0.8 GB while it is decoded; several visitors' together would take the server down."""


class Annotated(NamedTuple):
    """A picture with its boxes: a JPEG or PNG file, width and height, and where each face is in it; pixels."""

    encoded: bytes
    size: tuple[int, int]
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class RecognizedPicture:
    """A picture and what was found in it, kept small.

    Attributes
    ----------
    name : str, its address or file name
    encoded : bytes, of a JPEG or, up to `LOSSLESS_SIDE`, of a PNG file: the picture, reduced for display
    size : tuple of int, width and height of that, pixels
    thumbnail : bytes, of a JPEG file
    scale : float, 0-1, pixels of a side of that to a pixel of the picture that was given
    faces : tuple of FaceEmotion, from left to right, their boxes in pixels of the picture that was given
    why : str, where there are none, the likely reason
    note : str, what else is to be said of the file, in a sentence; mostly empty
    """

    name: str
    encoded: bytes
    size: tuple[int, int]
    thumbnail: bytes
    scale: float
    faces: tuple[FaceEmotion, ...]
    why: str = ""
    note: str = ""

    def decoded(self) -> BGRImage:
        """Give the pixels.

        Returns
        -------
        ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
        """
        return np.asarray(cv2.imdecode(np.frombuffer(self.encoded, dtype=np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)

    @cached_property
    def annotated(self) -> Annotated:
        """The picture with its boxes, drawn once."""
        image_bgr, marked = _with_marks(self)
        annotated_bgr = draw_marks(image_bgr, marked)
        height, width = annotated_bgr.shape[:2]
        return Annotated(_encoded(annotated_bgr), (width, height), tuple(mark.box for mark in marked))


def recognize_picture(name: str, data: bytes, models: Ensemble) -> RecognizedPicture:
    """Decode a picture and let the models vote on each of its faces.

    Parameters
    ----------
    name : str
    data : bytes, of a picture file
    models : Ensemble

    Returns
    -------
    RecognizedPicture

    Raises
    ------
    ImageError
        If it is not a picture, or too large a one.
    DetectorError
        If the face detector's file is missing or damaged.
    """
    with _one_at_a_time:
        decoded = decode(data)
        image_bgr = decoded.image_bgr
        faces = sorted(Recognizer(models).recognize_in(decoded), key=_from_left_to_right)
        scale = min(1.0, _PICTURE_SIDE / max(image_bgr.shape[:2]))
        why = "" if faces else why_no_face(image_bgr)
        shown_bgr = _reduced(image_bgr, scale)
        height, width = shown_bgr.shape[:2]
        return RecognizedPicture(
            name,
            _encoded(shown_bgr),
            (width, height),
            _encoded_jpeg(_reduced(shown_bgr, min(1.0, _THUMBNAIL_SIDE / min(height, width)))),
            scale / decoded.reduced,
            tuple(faces),
            why,
            decoded.note,
        )


def _from_left_to_right(face: FaceEmotion) -> tuple[float, int]:
    return face.box.x + face.box.w / 2, face.box.y


def _encoded(picture_bgr: BGRImage) -> bytes:
    return encode_png(picture_bgr) if max(picture_bgr.shape[:2]) <= LOSSLESS_SIDE else _encoded_jpeg(picture_bgr)


def _encoded_jpeg(picture_bgr: BGRImage) -> bytes:
    return cv2.imencode(".jpg", picture_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def face_to_learn(data: bytes, models: Ensemble) -> tuple[FaceVector | None, str]:
    """Decode a picture, and take the face of the one person in it.

    Parameters
    ----------
    data : bytes, of a picture file
    models : Ensemble

    Returns
    -------
    face : ndarray of shape (2304,), uint8, 0-255; None where there is none that can be learnt
    reason : str, why there is none, in a word or a sentence or two; empty where there is one

    Raises
    ------
    ImageError
        If it is not a picture, or too large a one.
    DetectorError
        If the face detector's file is missing or damaged.
    """
    with _one_at_a_time:
        image_bgr = decode(data).image_bgr
        found = Recognizer(models).find(image_bgr)
        vector, reason = face_of(found)
        if vector is not None:
            return vector, ""
        return None, f"{reason}." if found else f"{reason}. {why_no_face(image_bgr)}"


def _reduced(image_bgr: BGRImage, scale: float) -> BGRImage:
    if scale == 1.0:
        return image_bgr
    height, width = image_bgr.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def as_one_face(picture: RecognizedPicture, models: Ensemble) -> RecognizedPicture:
    """Take a picture whole, as a face that somebody cut out already.

    Parameters
    ----------
    picture : RecognizedPicture, of at most `LOSSLESS_SIDE`
    models : Ensemble

    Returns
    -------
    RecognizedPicture, with one face
    """
    return replace(picture, faces=tuple(Recognizer(models).recognize(picture.decoded(), whole=True)), why="")


def voted_anew(picture: RecognizedPicture, models: Ensemble) -> RecognizedPicture:
    """Let other models vote on the faces that were found.

    Parameters
    ----------
    picture : RecognizedPicture
    models : Ensemble

    Returns
    -------
    RecognizedPicture
    """
    if not picture.faces:
        return picture
    votes = models.vote(np.stack([face.vector for face in picture.faces]))
    faces = (
        replace(face, vote=vote.on_unfit(face.fitness.reason)) for face, vote in zip(picture.faces, votes, strict=True)
    )
    return replace(picture, faces=tuple(faces))


def drawn(picture: RecognizedPicture) -> BGRImage:
    """Draw the box and the vote of each face into a picture.

    Parameters
    ----------
    picture : RecognizedPicture

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red; see `emotion.streams.drawing.with_room`
    """
    return draw_marks(*_with_marks(picture))


def _with_marks(picture: RecognizedPicture) -> tuple[BGRImage, list[Mark]]:
    """Give what is drawn on, and where the faces are on that."""
    scaled = [
        replace(mark, box=Box(*(round(edge * picture.scale) for edge in mark.box))) for mark in marks(picture.faces)
    ]
    return with_room(picture.decoded(), scaled)


def encode_png(image_bgr: BGRImage) -> bytes:
    """Encode a picture.

    Parameters
    ----------
    image_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red

    Returns
    -------
    bytes, of a PNG file
    """
    return cv2.imencode(".png", image_bgr)[1].tobytes()


def pictures_csv(pictures: Sequence[RecognizedPicture], models: Ensemble) -> str:
    """Write the faces of pictures as a table.

    Parameters
    ----------
    pictures : sequence of RecognizedPicture
    models : Ensemble, whose votes they have

    Returns
    -------
    str
        CSV with the columns `picture`, `face` (1 for the leftmost), `x`, `y`, `width`, `height` (pixels of the original
        picture), those of `emotion.vote.tables.vote_columns`, and `models`, the name of the set that voted.
    """
    voted_by = set_that_votes(models).name
    rows = [
        [picture.name, number, *face.box, *vote_cells(face.vote), voted_by]
        for picture in pictures
        for number, face in enumerate(picture.faces, start=1)
    ]
    columns = ["picture", *FACE_COLUMNS, *vote_columns(models.classes, models.model_names), "models"]
    return to_csv(columns, rows)
