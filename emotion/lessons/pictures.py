"""Faces and counts, drawn to be looked at below a cell of a notebook."""

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emotion import config
from emotion.data.dataset import Faces
from emotion.data.seen import copies_between, distinct_rows
from emotion.data.splitting import Split
from emotion.faces.crop import FaceVectors
from emotion.faces.decode import decode_image
from emotion.faces.pixels import BGRImage
from emotion.streams.drawing import draw_marks, marks
from emotion.vote.ensemble import Ensemble
from emotion.vote.recognizer import Recognizer

BLUE: Final = "#0072b2"
"""Of Okabe and Ito (2008), for bars."""
_DPI: Final = 100


def shown(figure: Figure) -> Any:
    """Show a figure below a notebook's cell, as large as it was drawn.

    Parameters
    ----------
    figure : matplotlib Figure

    Returns
    -------
    IPython.display.Image
    """
    from IPython.display import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI)
    return Image(drawn.getvalue(), width=round(figure.get_figwidth() * _DPI))  # type: ignore[no-untyped-call]


def class_figure(faces: Faces) -> Figure:
    """Draw how many faces each class has.

    Parameters
    ----------
    faces : Faces

    Returns
    -------
    matplotlib Figure
    """
    counts = faces.counts()
    figure = Figure(figsize=(8, 0.8 + 0.32 * len(counts)), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh([label.replace("$", r"\$") for label in counts], list(counts.values()), color=BLUE)
    axes.bar_label(bars, [f"{count:,} ({count / len(faces):.0%})" for count in counts.values()], padding=4)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlim=(0, max(counts.values()) * 1.25), xlabel="faces")
    return figure


def sample_figure(faces: Faces, per_class: int = 8, seed: int = 0) -> Figure:
    """Draw some faces of each class.

    Parameters
    ----------
    faces : Faces
    per_class : int, at most
    seed : int

    Returns
    -------
    matplotlib Figure
    """
    random = np.random.default_rng(seed)
    rows = {label: random.permutation(np.flatnonzero(faces.y == label))[:per_class] for label in faces.classes}
    return face_grid({label: faces.X[chosen] for label, chosen in rows.items()}, per_class)


def face_grid(rows: Mapping[str, FaceVectors], columns: int) -> Figure:
    """Draw faces in rows, each below its title.

    Parameters
    ----------
    rows : mapping of title to ndarray of shape (n, 2304), uint8, n <= `columns`
    columns : int

    Returns
    -------
    matplotlib Figure
    """
    figure = Figure(figsize=(9, 1.05 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (title, faces) in zip(grid, rows.items(), strict=True):
        for cell in line:
            cell.axis("off")
        for cell, face in zip(line, faces, strict=False):
            cell.imshow(face.reshape(config.FACE_SIDE, config.FACE_SIDE), cmap="gray", vmin=0, vmax=255)
        line[0].set_title(title.replace("$", r"\$"), fontsize=10, loc="left")
    return figure


def copies_figure(faces: Faces, split: Split, most: int = 8) -> Figure | None:
    """Draw test faces above training faces that copy them, all but exactly.

    Parameters
    ----------
    faces : Faces, of the table that was split
    split : Split
    most : int

    Returns
    -------
    matplotlib Figure, or None where there is no such pair
    """
    candidates = faces[distinct_rows(faces)[0]]
    pairs: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []
    for row in np.flatnonzero(split.test_copied):
        face = split.test.X[row]
        alike, _ = copies_between(candidates.X, face[None])
        copy = candidates.X[alike.argmax()]
        if alike.any() and not (copy == face).all():
            pairs.append((face, copy))
        if len(pairs) == most:
            break
    if not pairs:
        return None
    above, below = (np.stack(side) for side in zip(*pairs, strict=True))
    return face_grid({"test faces": above, "training faces that copy them": below}, most)


def portrait() -> BGRImage:
    """Give a picture with a face that the project comes with.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red
    """
    return decode_image((config.EXAMPLES / "Eileen-Collins.jpg").read_bytes())


def portrait_figure(models: Ensemble, picture_bgr: BGRImage) -> Figure:
    """Draw a picture with the faces that are found, the largest as the models see it, and what they say of it.

    Parameters
    ----------
    models : Ensemble
    picture_bgr : ndarray of shape (height, width, 3), uint8, 0-255, blue-green-red, with a face

    Returns
    -------
    matplotlib Figure
    """
    faces = Recognizer(models).recognize(picture_bgr)
    vote = faces[0].vote
    figure = Figure(figsize=(10, 4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.3))
    left.imshow(draw_marks(picture_bgr, marks(faces))[:, :, ::-1])
    middle.imshow(faces[0].vector.reshape(config.FACE_SIDE, config.FACE_SIDE), cmap="gray", vmin=0, vmax=255)
    right.barh(list(vote.probabilities), list(vote.probabilities.values()), color=BLUE)
    right.invert_yaxis()
    right.set(xlabel="probability", xlim=(0, 1))
    titles = ("found", "as the models see it", f"what they say: {vote.agreement} of {len(vote.ballots)} {vote.label}")
    for axes, title in zip((left, middle, right), titles, strict=True):
        axes.set_title(title)
    for axes in (left, middle):
        axes.axis("off")
    return figure
