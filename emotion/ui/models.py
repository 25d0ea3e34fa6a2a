"""The models of the page, and their card: what was trained on what, how good it is, and what it is not for."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from emotion import config
from emotion.ensemble import read_manifest
from emotion.errors import ModelsError

_FOLDER_VARIABLE: Final = "EMOTION_MODELS"


def models_folder() -> Path:
    """Find the models that this server is to show: those in the folder that `EMOTION_MODELS` names, or that ship.

    Returns
    -------
    Path
    """
    return Path(os.environ.get(_FOLDER_VARIABLE) or config.MODELS)


def show_models() -> None:
    """Draw the page from the folder of models, where training writes the card.

    Raises
    ------
    ModelsError
        If the manifest or the card cannot be read.
    """
    folder = models_folder()
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
