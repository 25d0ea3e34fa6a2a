"""What several parts of the page draw: texts of others, and faces as the models see them.

Texts of others (addresses, file names, names of classes) are shown as they are. Streamlit's own elements take Markdown,
in which addresses become links, ``:name:`` a symbol and ``--`` a dash, also behind backslashes.
"""

from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import streamlit as st

from emotion import config
from emotion.faces.crop import FaceVector
from emotion.faces.pixels import GreyImage

FAULT: Final = "Something went wrong on the server; its log says what."

MOST_UPLOAD_MB: Final = 50
"""Megabytes of each picture; what is larger, the browser refuses without a word to the server. A film may have what
the server takes at most."""


@cache
def text_of(file: Path) -> str:
    """Read the script or the styles of a component, once.

    Parameters
    ----------
    file : Path, of the program itself

    Returns
    -------
    str
    """
    return file.read_text("utf-8")


def crop_picture(vector: FaceVector, side: int = 240) -> GreyImage:
    """Enlarge a face vector, each pixel a square.

    Parameters
    ----------
    vector : ndarray of shape (2304,), uint8, 0-255
    side : int, pixels

    Returns
    -------
    ndarray of shape (side, side), uint8, 0-255
    """
    face = vector.reshape(config.FACE_SIDE, config.FACE_SIDE)
    return np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)


def show_problem(text: str) -> None:
    """Draw what went wrong, as `streamlit.error` looks.

    Parameters
    ----------
    text : str
    """
    show_alert(f'<div style="white-space: pre-wrap">{escape(text)}</div>')


def show_alert(content: str) -> None:
    """Draw what went wrong, whatever it is written in.

    Parameters
    ----------
    content : str, HTML, in which texts of others are escaped
    """
    st.html(
        '<div role="alert" style="padding: 1rem; border-radius: 0.5rem; background: #ff2b2b26; '
        f'overflow-wrap: anywhere">{content}</div>'
    )


def show_heading(text: str) -> None:
    """Draw a heading of second rank; letters that Markdown takes for its own stay as they are.

    Parameters
    ----------
    text : str
    """
    st.html(f'<h2 style="overflow-wrap: anywhere">{escape(text)}</h2>')
