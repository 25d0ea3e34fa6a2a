"""Pictures and faces that are chosen by a press: tiles, and boxes on a picture; what they say of each is here too."""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import streamlit as st

from emotion.page.elements import crop_picture, text_of
from emotion.page.recognition import RecognizedPicture, encode_png
from emotion.vote.voting import Vote

_HERE: Final = Path(__file__).parent
_CHOSEN: Final = "chosen"
_CROP_SIDE: Final = 96


@dataclass(frozen=True)
class Tile:
    """What can be pressed.

    Attributes
    ----------
    source : str, the picture, as a data: address
    said : str, what stands below it in bold
    name : str, what stands below that
    told : str, all of it in words
    """

    source: str
    said: str
    name: str
    told: str


def choose_picture(
    pictures: Sequence[RecognizedPicture], chosen: int, key: str, on_choose: Callable[[int], None]
) -> None:
    """Draw pictures as a grid; each is a button.

    Parameters
    ----------
    pictures : sequence of RecognizedPicture
    chosen : int, which of them is open
    key : str
    on_choose : callable, told which one was pressed
    """
    tiles = [
        Tile(data_address(picture.thumbnail), in_short(picture), name, f"{name}: {in_short(picture)}")
        for picture in pictures
        for name in [short_name(picture.name)]
    ]
    _choose("Pictures", tiles, chosen, key, on_choose, picture=None)


def choose_face(picture: RecognizedPicture, chosen: int, key: str, on_choose: Callable[[int], None]) -> None:
    """Draw a picture large; where it has several faces, each box is a button, and so is each face below it.

    Parameters
    ----------
    picture : RecognizedPicture
    chosen : int, which of its faces
    key : str
    on_choose : callable, told which one was pressed
    """
    content, (width, height), boxes = picture.annotated
    tiles = []
    if len(picture.faces) > 1:
        for number, face in enumerate(picture.faces, start=1):
            share = f"{face.vote.label} {face.vote.probabilities[face.vote.label]:.0%}"
            told = f"Face {number}: {share}{_doubt(face.vote)}"
            tiles.append(
                Tile(
                    data_address(encode_png(crop_picture(face.vector, _CROP_SIDE))),
                    f"{number}  {share}",
                    _doubt(face.vote)[2:],
                    told,
                )
            )
    what = f"{in_short(picture)}. Each face has a box." if picture.faces else "no face"
    large = {
        "source": data_address(content),
        "alt": f"The picture {short_name(picture.name)}: {what}",
        "width": width,
        "height": height,
        "places": [[box.x / width, box.y / height, box.w / width, box.h / height] for box in (boxes if tiles else ())],
    }
    _choose("Faces, from left to right", tiles, chosen, key, on_choose, picture=large)


def _choose(
    label: str,
    tiles: Sequence[Tile],
    chosen: int,
    key: str,
    on_choose: Callable[[int], None],
    *,
    picture: dict[str, Any] | None,
) -> None:
    component = st.components.v2.component(
        "choosing",
        html='<div class="choosing"></div>',
        js=text_of(_HERE / "choosing.js"),
        css=text_of(_HERE / "choosing.css"),
    )
    component(
        key=key,
        data={
            "label": label,
            "tiles": [asdict(tile) for tile in tiles],
            "chosen": chosen,
            "status": tiles[chosen].told if tiles else "",  # what screen readers say when it changes
            "picture": picture,
        },
        on_chosen_change=lambda: _told(key, len(tiles), on_choose),
    )


def _told(key: str, n_tiles: int, on_choose: Callable[[int], None]) -> None:
    number = st.session_state[key].get(_CHOSEN)
    if isinstance(number, int) and 0 <= number < n_tiles:  # a browser may send anything
        on_choose(number)


def in_short(picture: RecognizedPicture) -> str:
    """Say what is in a picture in a few words.

    Parameters
    ----------
    picture : RecognizedPicture

    Returns
    -------
    str, such as ``Happy 97%``, ``2 Happy, 1 Sad (1 uncertain)`` or ``no face``
    """
    votes = [face.vote for face in picture.faces]
    if not votes:
        return "no face"
    if len(votes) == 1:
        return f"{votes[0].label} {votes[0].probabilities[votes[0].label]:.0%}{_doubt(votes[0])}"
    counts = ", ".join(f"{count} {label}" for label, count in Counter(vote.label for vote in votes).most_common())
    n_uncertain = sum(vote.uncertain for vote in votes)
    return f"{counts} ({n_uncertain} uncertain)" if n_uncertain else counts


def short_name(name: str) -> str:
    """Give the name of a file, also of one behind an address.

    Parameters
    ----------
    name : str, a file's name or an address

    Returns
    -------
    str, not empty
    """
    parts = urlsplit(name) if name.startswith(("http://", "https://")) else None
    return name if parts is None else unquote(PurePosixPath(parts.path).name) or str(parts.hostname)


def _doubt(vote: Vote) -> str:
    return ", uncertain" if vote.uncertain else ""


def data_address(content: bytes) -> str:
    """Write a picture into an address, which needs no other request.

    Parameters
    ----------
    content : bytes, of a PNG or JPEG file

    Returns
    -------
    str
    """
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{b64encode(content).decode('ascii')}"
