"""The part of the page on which models learn the visitor's face: examples in, a trial, models for this visit out."""

import logging
from typing import Final

import streamlit as st

from emotion.errors import EmotionError, PersonalError
from emotion.faces.crop import FaceVector
from emotion.page.downloads import offer_download
from emotion.page.elements import FAULT, MOST_UPLOAD_MB, show_problem
from emotion.page.face.examples import Face, Learnt
from emotion.page.face.use import use
from emotion.page.face.webcam import LABEL_KEY, show_video, take_over
from emotion.page.recognition import face_to_learn
from emotion.page.state import visit
from emotion.vote.ensemble import Ensemble
from emotion.vote.person.examples import MOST_LABELS, read_examples
from emotion.vote.person.trial import Trial

log = logging.getLogger(__name__)

MOST_FILES: Final = 50
"""Pictures of one expression at one time."""
_MOST_LABEL_CHARS: Final = 40
_LEARNING: Final = "Learning your face…"

_INTRODUCTION: Final = (
    "One person's angry face is another's resting face. Pose each expression, and the models learn how *your* face "
    "shows it. Your pictures stay in the memory of this visit: nothing is stored, and nothing is passed on."
)
_OWN_FILE: Final = (
    "The file that Save gives holds no picture, but numbers of your face: biometric data. Keep it as you would a "
    "password."
)


def show_face(models: Ensemble) -> None:
    """Draw the part.

    Parameters
    ----------
    models : Ensemble, that knows nobody
    """
    face = visit().face
    st.markdown(_INTRODUCTION)
    take_over(face, face.labels(models.classes))
    _choose_expression(face, models)
    show_video(models, face.labels(models.classes))
    _take_files(face, models)
    for told in face.told:
        st.text(told)
    if counts := face.counts():
        st.text("There are: " + ", ".join(f"{label} {n}" for label, n in counts.items()) + ".")
    _learn(face, models)
    if face.learnt is not None:
        _show_learnt(face, face.learnt)
    _open_file(face, models)


def _choose_expression(face: Face, models: Ensemble) -> None:
    labels = face.labels(models.classes)
    if st.session_state.get(LABEL_KEY) not in labels:
        st.session_state[LABEL_KEY] = labels[0]  # those of other models, or of a label that is gone
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Expression", labels, key=LABEL_KEY, width=220)
        has_examples = face.counts()[st.session_state[LABEL_KEY]] > 0
        st.button("Discard its faces", disabled=not has_examples, on_click=lambda: _discard(face))
        st.text_input(
            "Add one of your own",
            key="own_label",
            placeholder="thinking",
            max_chars=_MOST_LABEL_CHARS,
            width=220,
            on_change=lambda: _add_label(face),
            disabled=len(labels) >= MOST_LABELS,
        )


def _add_label(face: Face) -> None:
    if label := face.add_label(st.session_state["own_label"]):
        st.session_state[LABEL_KEY] = label
    st.session_state["own_label"] = ""


def _discard(face: Face) -> None:
    face.discard(st.session_state[LABEL_KEY])
    face.told = []


def _take_files(face: Face, models: Ensemble) -> None:
    with st.form("face_files", clear_on_submit=True):
        files = st.file_uploader(
            "Pictures of this expression", accept_multiple_files=True, max_upload_size=MOST_UPLOAD_MB
        )
        taken = st.form_submit_button("Take from files")
    if not taken:
        return
    label: str = st.session_state[LABEL_KEY]
    faces: list[FaceVector] = []
    told: list[str] = []
    with st.spinner("Looking for faces…"):
        for file in files[:MOST_FILES]:
            try:
                vector, reason = face_to_learn(file.getvalue(), models)
            except EmotionError as error:
                vector, reason = None, str(error)
            except Exception:  # a fault of ours: the visitor gets a sentence, the log the traceback
                log.exception("a picture of a face could not be taken")
                vector, reason = None, FAULT
            if vector is None:
                told.append(f"{file.name} was not taken: {reason}")
            else:
                faces.append(vector)
        face.add(label, faces)  # a drawing that is superseded ends where it next draws
    if len(files) > MOST_FILES:
        told.append(f"At most {MOST_FILES} pictures at a time; the first {MOST_FILES} were looked at.")
    if not files:
        told.append("There is nothing to take: choose pictures first.")
    else:
        told.insert(0, f"{label}: {len(faces)} of {len(files)} pictures taken.")
    face.told = told
    st.rerun()


def _learn(face: Face, models: Ensemble) -> None:
    if not st.button("Learn", type="primary", disabled=not face.counts()):
        return
    try:
        with st.spinner(_LEARNING):
            face.learn(models)
    except PersonalError as error:
        show_problem(str(error))


def _show_learnt(face: Face, learnt: Learnt) -> None:
    for sentence in what_was_gained(learnt.trial):
        st.text(sentence)
    with st.container(horizontal=True):
        st.button("Use it", type="primary", disabled=face.used is learnt, on_click=use)
        offer_download("Save", learnt.examples.to_json, "my-face.json", "application/json")
    st.caption(_OWN_FILE)
    if face.used is learnt:
        st.success(
            "These models vote in the parts Webcam, Pictures and Films, in this visit. The switch above turns them off."
        )


def what_was_gained(trial: Trial) -> list[str]:
    """Say in sentences what learning gained.

    Parameters
    ----------
    trial : Trial

    Returns
    -------
    list of str
    """
    if not trial.n:
        return ["There is one face of each expression, so none could be kept out to see what was gained: take more."]
    told = [
        f"Faces that were kept out of the learning: {trial.n}. Right before: {trial.before}. Right now: {trial.after}. "
        "Pictures of one moment are alike: at another time it may be less."
    ]
    if trial.after < trial.before:
        told.append("That is no gain: take the expressions anew, and show them more clearly.")
    told += [f"{m.label} is still taken for {m.taken_for} in {m.n} of {m.of}." for m in trial.mixed]
    if trial.untried:
        told.append(f"With one face alone, these were not tried: {', '.join(trial.untried)}.")
    return told


def _open_file(face: Face, models: Ensemble) -> None:
    with st.form("face_open", clear_on_submit=True):
        file = st.file_uploader(
            "A file of your face",
            max_upload_size=MOST_UPLOAD_MB,
            help="As Save writes it. What was taken in this visit gives way to it.",
        )
        asked = st.form_submit_button("Open")
    if not asked:
        return
    if file is None:
        show_problem("There is nothing to open: choose a file that Save wrote.")
        return
    try:
        with st.spinner(_LEARNING):
            face.open(read_examples(file.getvalue(), models))
            face.learn(models)
    except PersonalError as error:
        show_problem(str(error))
        return
    face.told = []
    st.rerun()
