"""What is meant by each expression: a drawn face, and how to pose it in a few words."""

from typing import Final, NamedTuple

_SIDE: Final = 120
_LINE: Final = "#3b3b3b"
_SKIN: Final = "#e9e4dc"


class _Features(NamedTuple):
    """How a drawn face looks, in units of its drawing, downwards.

    Attributes
    ----------
    how : str, in words, for somebody who poses it
    outer, inner : int, height of the brows' ends above their usual place
    eyes : int, half the height of the eyes
    mouth : str, the path of the mouth (SVG)
    more : str, further paths
    """

    how: str
    outer: int
    inner: int
    eyes: int
    mouth: str
    more: str = ""


_FEATURES: Final = {
    "Angry": _Features("Brows down and together, eyes hard, lips pressed.", 4, -7, 4, "M45 88 Q60 82 75 88"),
    "Disgust": _Features(
        "Wrinkle your nose, and raise your upper lip.",
        0,
        -5,
        3,
        "M43 90 Q52 80 60 84 Q68 80 77 90",
        "M53 51 q7 4 14 0 M54 57 q6 4 12 0 M49 71 q-8 4 -9 13 M71 71 q8 4 9 13",
    ),
    "Fear": _Features(
        "Brows up and together, eyes wide, lips stretched.", 2, 9, 9, "M44 86 Q60 80 76 86 Q60 98 44 86 Z"
    ),
    "Happy": _Features(
        "Smile with your eyes, too.", 2, 2, 4, "M40 80 Q60 104 80 80", "M34 74 q4 -4 8 0 M78 74 q4 -4 8 0"
    ),
    "Neutral": _Features("Let your face rest.", 0, 0, 6, "M46 88 L74 88"),
    "Sad": _Features("Inner ends of the brows up, corners of the mouth down.", -4, 6, 5, "M44 94 Q60 80 76 94"),
    "Surprise": _Features(
        "Brows high, eyes wide, let your jaw drop.",
        10,
        10,
        9,
        "M60 80 q9 0 9 10 q0 10 -9 10 q-9 0 -9 -10 q0 -10 9 -10 Z",
    ),
    "Contempt": _Features("Raise one corner of your mouth.", 0, 0, 5, "M46 90 Q62 90 74 82"),
}


def how_to_pose(label: str) -> str:
    """Say how an expression is posed.

    Parameters
    ----------
    label : str

    Returns
    -------
    str, a sentence; empty for expressions that are not known here
    """
    return _FEATURES[label].how if label in _FEATURES else ""


def drawn_face(label: str) -> str:
    """Draw a face that shows an expression.

    Parameters
    ----------
    label : str

    Returns
    -------
    str, an SVG drawing of 120x120 pixels; empty for expressions that are not known here
    """
    if label not in _FEATURES:
        return ""
    _, outer, inner, eyes, mouth, more = _FEATURES[label]
    brows = f"M32 {46 - outer} L50 {46 - inner} M70 {46 - inner} L88 {46 - outer}"
    both = "".join(
        f'<ellipse cx="{x}" cy="60" rx="7" ry="{eyes}" fill="white"/><circle cx="{x}" cy="60" r="3" fill="{_LINE}"/>'
        for x in (41, 79)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{_SIDE}" viewBox="0 0 {_SIDE} {_SIDE}">'
        f'<g fill="none" stroke="{_LINE}" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">'
        f'<ellipse cx="60" cy="62" rx="46" ry="54" fill="{_SKIN}"/>{both}'
        f'<path d="{brows}"/><path d="M60 62 L57 74 L62 75" stroke-width="2"/><path d="{mouth}"/>'
        f'<path d="{more}" stroke-width="2"/></g></svg>'
    )
