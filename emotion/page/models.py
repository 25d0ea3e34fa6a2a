"""The models of the page, and their card: what was trained on what, how good it is, and what it is not for."""

import os
from pathlib import Path
from typing import Final

import streamlit as st

from emotion import config
from emotion.errors import ModelsError
from emotion.vote.loading import read_manifest, read_settled, settled

_FOLDER_VARIABLE: Final = "EMOTION_MODELS"
_COMPARED: Final = "fer2013"
"""Within the folder of models: those that learnt FER2013's labels, as the literature compares them."""

_PICTURES: Final = {
    "final_model.png": "Confusion matrix of the vote on the test faces",
    "reliability.png": "What votes claim against how often they are right, on several sets of faces",
}


def models_folder() -> Path:
    """Find the models that this server votes with.

    Returns
    -------
    Path of the folder that `EMOTION_MODELS` names, or of the one that ships
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
    st.html("<style>.stMarkdown table { display: block; overflow-x: auto; }</style>")  # wide ones, on phones
    _show_card(folder)
    if settled(folder / _COMPARED, config.MANIFEST_FILE).is_file():
        with st.expander("For comparison with the literature: models that learnt FER2013's labels"):
            st.markdown(f"They do not vote here. The command line takes them with `--models models/{_COMPARED}`.")
            _show_card(folder / _COMPARED)


def _show_card(folder: Path) -> None:
    manifest = read_manifest(folder)
    try:
        card = read_settled(folder, "README.md").decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelsError(f"{folder / 'README.md'} is missing or cannot be read; train anew.") from error
    st.markdown(card)
    for name, shows in _PICTURES.items():
        picture = settled(folder, name)
        if picture.is_file():
            st.image(str(picture), alt=shows)
    with st.expander("Versions and checksums"):
        networks = {f"network_{number}.onnx": digest for number, digest in manifest.get("networks", {}).items()}
        files = {**networks, **manifest["files"]}
        st.table({"File": list(files), "SHA-256": list(files.values())}, hide_index=True)
        libraries = manifest.get("libraries", {})
        st.table({"Library": list(libraries), "Version": list(libraries.values())}, hide_index=True)
