"""What several parts of the page draw: texts of others, a vote, the timeline, faces as the models see them.

Texts of others (addresses, file names, names of classes) are shown as they are. Streamlit's own elements take Markdown,
in which addresses become links, ``:name:`` a symbol and ``--`` a dash, also behind backslashes.
"""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion import config
from emotion.faces.crop import FaceVector
from emotion.faces.pixels import BGRImage, GreyImage
from emotion.streams.drawing import expression_colour
from emotion.streams.record import LONGEST_SECONDS, Moment
from emotion.vote.ensemble import Ensemble
from emotion.vote.sets import SHIPPED, set_that_votes
from emotion.vote.voting import Vote

TIMELINE_SECONDS: Final = 60.0
"""What the timeline shows of a session: the last minute."""

FAULT: Final = "Something went wrong on the server; its log says what."

MOST_UPLOAD_MB: Final = 50
"""Megabytes of each picture; what is larger, the browser refuses without a word to the server. A film may have what
the server takes at most."""

UNMEASURED: Final = "Their probabilities were not adjusted to how often they are right: there were too few faces."
"""Of models whose probabilities nobody has held against faces that they did not learn from."""

# Seven, where there are ten colours: of fewer than seventy lines, none has the colour and the dashes of another.
_DASHES: Final = ([1, 0], [2, 2], [6, 3], [1, 0], [4, 2, 1, 2], [8, 2], [3, 3])


def timeline(classes: Sequence[str]) -> dict[str, Any]:
    """Describe the course of a session as a Vega-Lite chart: one line a class, broken where no face was seen.

    The same for the whole session, so that browsers draw it once and then take new data in, which costs little.

    Parameters
    ----------
    classes : sequence of str

    Returns
    -------
    dict, a Vega-Lite specification for the columns of `timeline_data`
    """
    colours = [expression_colour(i) for i in range(len(classes))]
    dashes = [_DASHES[i % len(_DASHES)] for i in range(len(classes))]
    legend = {"orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3, "columns": 4, "title": None}
    return {
        "height": 300,
        "mark": {"type": "line", "point": {"size": 12}, "invalid": "break-paths-show-domains"},
        "encoding": {
            "x": {
                "field": "seconds",
                "type": "quantitative",
                "scale": {"domain": [-TIMELINE_SECONDS, 0]},
                "axis": {"title": "seconds before the last vote", "grid": False, "labelExpr": "-datum.value"},
            },
            "y": {
                "field": "probability",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": {"title": "probability", "format": "%", "tickCount": 3},
            },
            "color": {
                "field": "expression",
                "type": "nominal",
                "scale": {"domain": list(classes), "range": colours},
                "legend": legend,
            },
            "strokeDash": {
                "field": "expression",
                "type": "nominal",
                "scale": {"domain": list(classes), "range": dashes},
                "legend": None,
            },
        },
    }


def timeline_data(moments: Sequence[Moment], classes: Sequence[str], *, smoothed: bool) -> dict[str, list[Any]]:
    """Gather what the last minute of a session's timeline shows: the largest face of each moment.

    Parameters
    ----------
    moments : sequence of Moment, oldest first, at least one
    classes : sequence of str
    smoothed : bool, whether smoothed probabilities are drawn, or those that the models gave

    Returns
    -------
    dict of columns of one length
        `seconds` (<= 0, before the last moment), `expression`, and `probability` (0-1, None where no face was seen).
    """
    end = moments[-1].seconds
    rows: list[tuple[float, str, float | None]] = []
    for before, moment in zip([moments[0], *moments], moments, strict=False):
        if moment.seconds < end - TIMELINE_SECONDS:
            continue
        if moment.seconds - before.seconds > LONGEST_SECONDS:
            unknown_since = max(before.seconds + LONGEST_SECONDS - end, -TIMELINE_SECONDS)
            rows += [(unknown_since, label, None) for label in classes]
        shares = moment.faces[0].shown(smoothed=smoothed).probabilities if moment.faces else {}
        rows += [(moment.seconds - end, label, shares.get(label)) for label in classes]
    seconds, expressions, probabilities = (list(column) for column in zip(*rows, strict=True))
    return {"seconds": seconds, "expression": expressions, "probability": probabilities}


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
    loss : ndarray of shape (48, 48), float32, of `emotion.vote.occlusion.occlusion_map`
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


def show_problem(text: str) -> None:
    """Draw what went wrong, as `streamlit.error` looks.

    Parameters
    ----------
    text : str
    """
    st.html(
        '<div role="alert" style="padding: 1rem; border-radius: 0.5rem; background: #ff2b2b26; '
        f'white-space: pre-wrap; overflow-wrap: anywhere">{escape(text)}</div>'
    )


def show_heading(text: str) -> None:
    """Draw a heading, as `streamlit.subheader` looks.

    Parameters
    ----------
    text : str
    """
    st.html(f'<h3 style="overflow-wrap: anywhere">{escape(text)}</h3>')


def show_label(vote: Vote) -> None:
    """Draw the expression that was elected, and by how many models.

    Parameters
    ----------
    vote : Vote
    """
    with st.container(gap=None):
        show_heading(vote.label)
        doubt = f"Uncertain ({vote.why}): " if vote.uncertain else ""
        st.text(f"{doubt}{vote.agreement} of {len(vote.ballots)} models agree")


def show_details(vote: Vote, models: Ensemble) -> None:
    """Draw the ballot of each model, the calibrated probability of each expression, and whose vote it is.

    One element of the page, not a dozen: it is drawn anew beside a running video, and each element costs the browser
    milliseconds in which no frame is shown.

    Parameters
    ----------
    vote : Vote
    models : Ensemble, that cast it
    """
    ballots = "".join(
        f'<tr style="border-bottom: 1px solid #8884"><td>{escape(name)}</td><td>{escape(ballot)}</td></tr>'
        for name, ballot in zip(config.MODEL_NAMES, vote.ballots, strict=True)
    )
    bars = "".join(
        f'<label style="display: block">{escape(label)} {share:.0%}'
        f'<progress value="{share:.3f}" style="display: block; width: 100%; accent-color: #0072b2"></progress></label>'
        for label, share in vote.probabilities.items()
    )
    st.html(
        '<table style="width: 100%; margin-bottom: 0.75rem; text-align: left"><thead><tr><th>Model</th><th>Ballot</th>'
        f"</tr></thead><tbody>{ballots}</tbody></table>{bars}"
        f'<div style="margin-top: 0.5rem; font-size: 0.875rem; opacity: 0.7; overflow-wrap: anywhere">'
        f"{escape(whose(models))}</div>"
    )


def whose(models: Ensemble) -> str:
    """Say which models vote, and how far their probabilities can be believed.

    Parameters
    ----------
    models : Ensemble

    Returns
    -------
    str, a sentence or two
    """
    voting = set_that_votes(models)
    which = "the shipped models" if voting.name == SHIPPED else f"{voting.name}: {', '.join(voting.classes)}"
    since = f"{', ' if voting.name == SHIPPED else '; '}trained on {voting.trained}" if voting.trained else ""
    doubt = "" if models.calibration.measured else f" {UNMEASURED}"
    return f"By {which}{since}.{doubt}"
