"""Pictures from addresses, files and examples: boxes, a table of faces and, for a chosen one, what the models say."""

import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion import config
from emotion.errors import EmotionError, FetchError, WebPageError
from emotion.faces.crop import FaceVector
from emotion.page.addresses import fetch_picture, read_pasted
from emotion.page.elements import (
    FAULT,
    MOST_UPLOAD_MB,
    crop_picture,
    heat_picture,
    show_details,
    show_label,
    show_problem,
)
from emotion.page.recognition import (
    RecognizedPicture,
    as_one_face,
    drawn,
    encode_png,
    pictures_csv,
    recognize_picture,
    voted_anew,
)
from emotion.page.server import REQUEST_SECONDS, turn_to_fetch
from emotion.page.state import Problem, Request, Source, visit
from emotion.vote.ensemble import Ensemble
from emotion.vote.occlusion import occlusion_map
from emotion.vote.voting import Vote

log = logging.getLogger(__name__)

MOST_PICTURES: Final = 20
"""At one time; fetched and recognised one after the other."""

MOST_CUT_OUT_SIDE: Final = 400
"""Pixels; a picture that is larger is hardly a face that somebody cut out."""


def show_pictures(models: Ensemble) -> None:
    """Draw the page: the form, the examples, and the pictures that were last asked for.

    Parameters
    ----------
    models : Ensemble
    """
    state = visit()
    with st.form("pictures", border=True):
        addresses = st.text_area(
            "Addresses of pictures, one a line", placeholder="https://example.org/portrait.jpg", height=80
        )
        files = st.file_uploader("Or files", accept_multiple_files=True, max_upload_size=MOST_UPLOAD_MB)
        asked = st.form_submit_button("Recognise", type="primary")
    examples = sorted(config.EXAMPLES.glob("*.jpg"))
    chosen = None
    with st.container(horizontal=True):
        for example in examples:
            if st.button(example.stem.replace("-", " "), icon=":material/image:"):
                chosen = example
    url = st.query_params.get("url", "")
    if asked:
        pasted = read_pasted(addresses)
        ask_for(
            [*_fetching(pasted.addresses), *((file.name, file.getvalue) for file in files)], problems=pasted.problems
        )
        st.query_params.pop("url", None)
    elif chosen is not None:
        ask_for([(chosen.name, chosen.read_bytes)])
    elif url != state.opened_url:
        state.opened_url = url
        if url:
            pasted = read_pasted(url)
            ask_for(_fetching(pasted.addresses), problems=pasted.problems)
    pictures = answered(models)
    for number, picture in enumerate(pictures):
        show_picture(picture, models, key=f"picture_{number}")
    if pictures:
        st.download_button(
            "Results as CSV",
            pictures_csv(pictures, models),
            "faces.csv",
            "text/csv",
            on_click="ignore",
        )


def _fetching(addresses: list[str]) -> list[Source]:
    left = REQUEST_SECONDS

    def fetched(address: str) -> bytes:
        nonlocal left
        if left <= 0:
            raise FetchError("The addresses before it took too long: ask for fewer at a time.")
        start = time.monotonic()
        try:
            with turn_to_fetch(left):
                return fetch_picture(address, left - (time.monotonic() - start))
        finally:
            left -= time.monotonic() - start

    return [(address, partial(fetched, address)) for address in addresses]


def ask_for(sources: list[Source], problems: Sequence[str] = ()) -> None:
    """Note what this visitor asks for, in place of what was asked for before; `answered` looks at it.

    Parameters
    ----------
    sources : list of Source
    problems : sequence of str, with what else was asked for
    """
    is_one_of_several = len(sources) + len(problems) > 1
    request = Request(sources[:MOST_PICTURES], prefixed=is_one_of_several, problems=[*map(Problem, problems)])
    if not sources and not problems:
        told = f"There is nothing to look at: give an address, or choose a file of at most {MOST_UPLOAD_MB} MB."
        request.problems.append(Problem(told))
    if len(sources) > MOST_PICTURES:
        told = f"At most {MOST_PICTURES} pictures at a time; the first {MOST_PICTURES} are shown."
        request.problems.append(Problem(told))
    visit().request = request


def answered(models: Ensemble) -> list[RecognizedPicture]:
    """Look at what this visitor asked for last, say why there is nothing to show of some, and give the others with the
    votes of these models, whoever voted on some of them before.

    Whatever a visitor presses meanwhile breaks the drawing of the page off; the next one goes on here.

    Parameters
    ----------
    models : Ensemble

    Returns
    -------
    list of RecognizedPicture
    """
    request = visit().request
    while True:
        is_done = not request.pending and request.voted_by == models.origin  # at a glance; in its turn, a drawing knows
        # A drawing that was broken off ends where it next draws, which is after its turn.
        with nullcontext() if is_done else st.spinner("Looking for faces…"), request.turn:
            if request.voted_by != models.origin:
                request.pictures = [voted_anew(picture, models) for picture in request.pictures]
                request.voted_by = models.origin
            elif request.pending:
                _look_at_next(request, models)
            else:
                pictures, problems = list(request.pictures), list(request.problems)
                break
    for number, problem in enumerate(problems):
        show_problem(problem.told)
        if problem.main_picture and st.button("Open the page's main picture", key=f"main_picture_{number}"):
            with request.turn:
                if problem in request.problems:  # of two presses, one counts
                    request.problems.remove(problem)
                    request.pending += _fetching([problem.main_picture])
                    request.prefixed = True  # nobody has seen that address yet
            st.rerun()
    return pictures


def _look_at_next(request: Request, models: Ensemble) -> None:
    name, read = request.pending[0]
    prefix = f"{name}: " if request.prefixed else ""
    try:
        request.pictures.append(recognize_picture(name, read(), models))
    except EmotionError as error:
        main_picture = error.main_picture if isinstance(error, WebPageError) else ""
        request.problems.append(Problem(f"{prefix}{error}", main_picture))
    except Exception:  # a fault of ours: the visitor gets a sentence, the log the traceback
        log.exception("a picture could not be recognised")
        request.problems.append(Problem(f"{prefix}{FAULT}"))
    request.pending.pop(0)


def show_picture(picture: RecognizedPicture, models: Ensemble, key: str) -> None:
    """Draw a picture with its faces.

    Parameters
    ----------
    picture : RecognizedPicture
    models : Ensemble
    key : str, of this picture among those on the page
    """
    with st.container(border=True):
        left, right = st.columns([3, 2], gap="medium")
        with left:
            st.image(drawn(picture), channels="BGR", alt="The picture with a box around each face")
            st.text(picture.name)
            if picture.note:
                st.caption(picture.note)
            # Encoded when it is asked for, not at every drawing of the page.
            st.download_button(
                "Annotated picture",
                lambda: encode_png(drawn(picture)),
                "annotated.png",
                "image/png",
                key=f"{key}_png",
                on_click="ignore",
            )
        with right:
            if picture.faces:
                _show_faces(picture, models, key)
            else:
                _offer_whole(picture, models, key)


def _offer_whole(picture: RecognizedPicture, models: Ensemble, key: str) -> None:
    """Say why there may be no face; of a small picture, offer to take it for one."""
    st.warning(f"No face was found. {picture.why}")
    if max(picture.picture_bgr.shape[:2]) <= MOST_CUT_OUT_SIDE and st.button(
        "Take the whole picture as a face", key=f"{key}_whole"
    ):
        request = visit().request
        with request.turn:
            request.pictures = [as_one_face(p, models) if p is picture else p for p in request.pictures]
        st.rerun()


def _show_faces(picture: RecognizedPicture, models: Ensemble, key: str) -> None:
    chosen = 0
    if len(picture.faces) > 1:
        votes = [face.vote for face in picture.faces]
        st.dataframe(
            {
                "Face": list(range(1, len(votes) + 1)),
                "Expression": [vote.label for vote in votes],
                "Probability": [vote.probabilities[vote.label] for vote in votes],
                "Ballots": [f"{vote.agreement} of {len(vote.ballots)}" for vote in votes],
                "Uncertain": [vote.why for vote in votes],
            },
            hide_index=True,
            column_config={"Probability": st.column_config.NumberColumn(format="percent")},
        )
        number = st.selectbox("Face", range(1, len(votes) + 1), key=f"{key}_face")
        chosen = number - 1
    vote, vector = picture.faces[chosen].vote, picture.faces[chosen].vector
    crop, label = st.columns([1, 2], vertical_alignment="center")
    crop.image(crop_picture(vector), width="stretch", alt="The face as the models see it, 48 x 48 pixels")
    with label:
        show_label(vote)
    show_details(vote, models)
    _show_reason(vector, vote, models, f"{key}_{chosen}")


def _show_reason(vector: FaceVector, vote: Vote, models: Ensemble, key: str) -> None:
    if not st.toggle("Why this vote?", key=f"{key}_why", help="Covers each part of the face in turn."):
        return
    loss = explained(models, models.origin, vector.tobytes(), vote.label)
    st.image(heat_picture(vector, loss), width=240, alt="The face, coloured where covering it changes the vote")
    strongest = float(loss.max())
    if strongest < 0.02:
        st.caption("No single part decides: whichever is covered, the probability stays within two points.")
    else:
        st.caption(
            f"Bright where the vote rests on the face: covering the brightest spot takes {strongest:.0%} points of its "
            "probability."
        )


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
