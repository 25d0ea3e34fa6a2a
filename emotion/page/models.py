"""The models of the page, and their card: what was trained on what, how good it is, and what it is not for."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from emotion import config
from emotion.errors import ModelsError
from emotion.page.state import visit
from emotion.vote.ensemble import read_manifest

_FOLDER_VARIABLE: Final = "EMOTION_MODELS"
_PEOPLE_FOLDER: Final = "people"
_KEY: Final = "answers"

AS_LABELLED: Final = "like the data set's labels"
AS_PEOPLE: Final = "like most people"
"""Which models answer: see `models_folders`."""


def models_folders() -> dict[str, Path]:
    """Find the models that this server can show.

    Returns
    -------
    dict of `AS_LABELLED` to the folder that `EMOTION_MODELS` names, or that ships; and, where it has a folder
    ``people`` of models that learnt votes, of `AS_PEOPLE` to that
    """
    folder = Path(os.environ.get(_FOLDER_VARIABLE) or config.MODELS)
    people = folder / _PEOPLE_FOLDER
    has_both = (people / config.MANIFEST_FILE).is_file()
    return {AS_LABELLED: folder, AS_PEOPLE: people} if has_both else {AS_LABELLED: folder}


def chosen_folder() -> Path:
    """Find the models that this visitor has chosen, or else the first.

    Returns
    -------
    Path
    """
    folders = models_folders()
    return folders.get(visit().answers, folders[AS_LABELLED])


def offer_choice() -> None:
    """Draw the choice of models, where there is one; it waits until a webcam session has ended."""
    state, folders = visit(), list(models_folders())
    if len(folders) == 1:
        return
    if _KEY not in st.session_state:
        st.session_state[_KEY] = state.answers or folders[0]
    st.radio(
        "Answer",
        folders,
        key=_KEY,
        horizontal=True,
        disabled=state.is_live,
        on_change=_choose,
        width="content",
        help="One person gave each face its label, and it is often not what most people see. Ten people voted on each "
        "face: the second answer has learnt that. While a webcam session runs, its models stay.",
    )


def _choose() -> None:
    visit().answers = st.session_state[_KEY]


def show_models() -> None:
    """Draw the page from the folder of the chosen models, where training writes the card.

    Raises
    ------
    ModelsError
        If the manifest or the card cannot be read.
    """
    folder = chosen_folder()
    manifest = read_manifest(folder)
    try:
        card = (folder / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelsError(f"{folder / 'README.md'} is missing or cannot be read; train anew.") from error
    st.html("<style>.stMarkdown table { display: block; overflow-x: auto; }</style>")  # wide ones, on phones
    st.markdown(card)
    picture = folder / "final_model.png"
    if picture.is_file():
        st.image(str(picture), alt="Confusion matrix of the vote on the test faces")
    with st.expander("Versions and checksums"):
        files = manifest["files"]
        st.table({"File": list(files), "SHA-256": list(files.values())}, hide_index=True)
        libraries = manifest.get("libraries", {})
        st.table({"Library": list(libraries), "Version": list(libraries.values())}, hide_index=True)
