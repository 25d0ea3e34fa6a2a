"""Charts and small pictures of the page."""

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from emotion import config
from emotion.faces import BGRImage, FaceVector, GreyImage
from emotion.record import Moment

TIMELINE_SECONDS: Final = 60.0
"""What the timeline shows of a session: the last minute."""

# After Okabe and Ito (2008), for colour-blind people, on light ground and dark; lines differ in their dashes too.
_COLOURS: Final = ("#d55e00", "#8a6d00", "#cc79a7", "#009e73", "#7f7f7f", "#0072b2", "#56b4e9")
_DASHES: Final = ([1, 0], [2, 2], [6, 3], [1, 0], [4, 2, 1, 2], [8, 2], [3, 3])


def timeline(moments: Sequence[Moment], classes: Sequence[str], *, smoothed: bool) -> dict[str, Any]:
    """Describe the course of a session as a Vega-Lite chart: one line a class, broken where no face was seen.

    Parameters
    ----------
    moments : sequence of Moment, oldest first, at least one
    classes : sequence of str
    smoothed : bool, whether smoothed probabilities are drawn, or those that the models gave

    Returns
    -------
    dict, a Vega-Lite specification with its data
    """
    end = moments[-1].seconds
    values = []
    for moment in moments:
        if moment.seconds < end - TIMELINE_SECONDS:
            continue
        shares = {}
        if moment.faces:
            face = moment.faces[0]
            shares = dict((face.smoothed if smoothed else face.vote).probabilities)
        for label in classes:
            share = shares.get(label)
            values.append({"s": round(moment.seconds, 2), "p": None if share is None else round(share, 3), "e": label})
    n = len(_COLOURS)
    colours = [_COLOURS[i % n] for i in range(len(classes))]
    dashes = [_DASHES[i % n] for i in range(len(classes))]
    x_axis = {"title": "seconds", "tickMinStep": 5, "grid": False}
    y_axis = {"title": "probability", "format": "%", "tickCount": 3}
    legend = {"orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3, "columns": 4, "title": None}
    return {
        "data": {"values": values},
        "height": 300,
        "mark": {"type": "line", "point": {"size": 12}, "invalid": "break-paths-show-domains"},
        "encoding": {
            "x": {
                "field": "s",
                "type": "quantitative",
                "scale": {"domain": [max(0.0, end - TIMELINE_SECONDS), max(end, 10.0)]},
                "axis": x_axis,
            },
            "y": {"field": "p", "type": "quantitative", "scale": {"domain": [0, 1]}, "axis": y_axis},
            "color": {
                "field": "e",
                "type": "nominal",
                "scale": {"domain": list(classes), "range": colours},
                "legend": legend,
            },
            "strokeDash": {
                "field": "e",
                "type": "nominal",
                "scale": {"domain": list(classes), "range": dashes},
                "legend": None,
            },
        },
    }


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


def heat_picture(vector: FaceVector, loss: NDArray[np.float32], side: int = 240) -> BGRImage:
    """Lay an occlusion map over its face: bright yellow where the vote rests most on it, dark where it does not.

    Parameters
    ----------
    vector : ndarray of shape (2304,), uint8, 0-255
    loss : ndarray of shape (48, 48), float32, of `emotion.occlusion.occlusion_map`
    side : int, pixels

    Returns
    -------
    ndarray of shape (side, side, 3), uint8, 0-255, red-green-blue
    """
    strength = np.clip(loss / max(float(loss.max()), 0.02), 0.0, 1.0)
    heat = cv2.resize((255 * strength).astype(np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    # Cividis keeps its order for every kind of colour vision (Nunez et al., 2018).
    coloured = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)
    face = cv2.cvtColor(crop_picture(vector, side), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(face, 0.5, coloured, 0.5, 0.0), dtype=np.uint8)
