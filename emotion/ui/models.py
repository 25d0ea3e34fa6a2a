"""The model card on the page: what was trained on what, how good it is, and what it is not for."""

import streamlit as st

from emotion import config
from emotion.ensemble import read_manifest
from emotion.errors import ModelsError


def show_models() -> None:
    """Draw the page from the folder `config.MODELS`, where training writes the card.

    Raises
    ------
    ModelsError
        If the manifest or the card cannot be read.
    """
    manifest = read_manifest(config.MODELS)
    try:
        card = (config.MODELS / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelsError(f"{config.MODELS / 'README.md'} is missing or cannot be read; train anew.") from error
    st.html("<style>.stMarkdown table { display: block; overflow-x: auto; }</style>")  # wide ones, on phones
    st.markdown(card)
    picture = config.MODELS / "final_model.png"
    if picture.is_file():
        st.image(str(picture), alt="Confusion matrix of the vote on the test faces")
    with st.expander("Versions and checksums"):
        files = manifest["files"]
        st.table({"File": list(files), "SHA-256": list(files.values())}, hide_index=True)
        libraries = manifest.get("libraries", {})
        st.table({"Library": list(libraries), "Version": list(libraries.values())}, hide_index=True)
