"""Why the models vote so on a face: the face as they see it and, beside it, what covering its parts takes."""

from functools import cache
from html import escape
from typing import Final

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion.faces.crop import FaceVector
from emotion.faces.pixels import BGRImage
from emotion.page.elements import crop_picture
from emotion.page.pictures.choosing import data_address
from emotion.page.recognition import encode_png
from emotion.vote.ensemble import Ensemble
from emotion.vote.occlusion import occlusion_map
from emotion.vote.voting import Vote

MOST_LOSS: Final = 0.3
"""Of probability: what is drawn in the brightest yellow, for every face. Of 120 faces of RAF-DB, the brightest spot
takes 0.14 at the median, and more than this of ten."""

LEAST_LOSS: Final = 0.02
"""Less is no reason."""

_SIDE: Final = 240
_FACE_ALT: Final = "The face as the models see it, 48 x 48 pixels"

_FIGURE: Final = """
<div style="display: flex; gap: 0.75rem">
<figure style="flex: 0 1 15rem; min-width: 0; margin: 0"><img src="{face}" alt="{face_alt}"
style="width: 100%; border-radius: 0.25rem"><figcaption style="font-size: 0.875rem">What the models see</figcaption>
</figure>
<figure style="flex: 0 1 15rem; min-width: 0; margin: 0"><img src="{heat}" alt="{heat_alt}"
style="width: 100%; border-radius: 0.25rem"><figcaption style="font-size: 0.875rem">What covering takes
<div style="height: 0.5rem; margin-top: 0.25rem; background: linear-gradient(to right, {colours})"></div>
<div style="display: flex; justify-content: space-between"><span>0</span><span>{most:.0f} points and more</span></div>
</figcaption></figure>
</div>
"""


def show_face(vector: FaceVector) -> None:
    """Draw a face as the models see it.

    Parameters
    ----------
    vector : ndarray of shape (2304,), uint8, 0-255
    """
    st.image(crop_picture(vector, _SIDE), width=144, alt=_FACE_ALT)


def show_reason(vector: FaceVector, vote: Vote, models: Ensemble) -> None:
    """Draw a face as the models see it and, beside it, where their vote rests on it; say it in a sentence.

    Parameters
    ----------
    vector : ndarray of shape (2304,), uint8, 0-255
    vote : Vote
    models : Ensemble, that cast it
    """
    loss = explained(models, models.origin, vector.tobytes(), vote.label)
    told = reason_told(vote, float(loss.max()))
    heat_bgr = np.ascontiguousarray(heat_picture(vector, loss, _SIDE)[:, :, ::-1])
    st.html(
        _FIGURE.format(
            face=data_address(encode_png(crop_picture(vector, _SIDE))),
            face_alt=_FACE_ALT,
            heat=data_address(encode_png(heat_bgr)),
            heat_alt=escape(f"The face, coloured where covering it changes the vote. {told}"),
            colours=_colours(),
            most=100 * MOST_LOSS,
        )
    )
    st.text(told)


def reason_told(vote: Vote, strongest: float) -> str:
    """Say what covering a part of a face takes from the vote's label.

    Parameters
    ----------
    vote : Vote
    strongest : float, -1 to 1: what its brightest spot carries of the label's probability

    Returns
    -------
    str, a sentence
    """
    if strongest < LEAST_LOSS:
        return "No single spot matters: whichever is covered, less than two percentage points are lost."
    before = round(100 * vote.probabilities[vote.label])
    points = max(1, before - round(100 * (vote.probabilities[vote.label] - strongest)))
    return f"Covering the brightest spot takes {points} percentage points ({before}% to {before - points}%)."


def heat_picture(vector: FaceVector, loss: NDArray[np.float32], side: int) -> BGRImage:
    """Lay an occlusion map over its face: bright yellow where the vote rests most on it, dark where it does not.

    Parameters
    ----------
    vector : ndarray of shape (2304,), uint8, 0-255
    loss : ndarray of shape (48, 48), float32, of `emotion.vote.occlusion.occlusion_map`
    side : int, pixels

    Returns
    -------
    ndarray of shape (side, side, 3), uint8, 0-255, red-green-blue
        A colour means the same loss for every face, up to `MOST_LOSS`.
    """
    strength = np.clip(loss / MOST_LOSS, 0.0, 1.0)
    heat = cv2.resize((255 * strength).astype(np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    face = cv2.cvtColor(crop_picture(vector, side), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(face, 0.5, _coloured(heat), 0.5, 0.0), dtype=np.uint8)


def _coloured(strength: NDArray[np.uint8]) -> BGRImage:
    """Colour brightness, red-green-blue, in an order that every kind of colour vision sees (Nunez et al., 2018)."""
    bgr = cv2.applyColorMap(strength, cv2.COLORMAP_CIVIDIS)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)


@cache
def _colours() -> str:
    """Give the colours from no loss to the most, as CSS takes them."""
    steps = _coloured(np.linspace(0, 255, 9).astype(np.uint8)[None])[0]
    return ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in steps)


@st.cache_data(max_entries=20, scope="session", show_spinner="Covering one part after the other…")
def explained(_models: Ensemble, origin: tuple[str, str], vector: bytes, label: str) -> NDArray[np.float32]:
    """Compute `emotion.vote.occlusion.occlusion_map` once for a face.

    Parameters
    ----------
    _models : Ensemble
    origin : tuple, that of these models, by which they are told apart from others
    vector : bytes, 2304 of them, of a face vector
    label : str

    Returns
    -------
    ndarray of shape (48, 48), float32
    """
    return occlusion_map(_models, np.frombuffer(vector, dtype=np.uint8), label)
