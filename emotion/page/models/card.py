"""The model card of a folder, as training writes it, with its pictures where it speaks of them."""

import re
from pathlib import Path
from typing import Any, Final

import streamlit as st

from emotion import config
from emotion.errors import ModelsError
from emotion.page.models.drawings import WIDTH, way, way_told
from emotion.vote.loading import read_manifest, read_settled, settled

_COMPARED: Final = "fer2013"
"""Within the folder of models: those that learnt FER2013's labels, as the literature compares them."""

_DRAWN: Final = re.compile(r"^!\[(.*)\]\((\w+\.png)\)$|^```mermaid\n[^`]*^```$", re.MULTILINE)
"""What the card leaves to the page: pictures of its folder, and the way of a face, which GitHub draws by itself."""

_HEADING: Final = re.compile("^(?=#+ )", re.MULTILINE)
"""Headings of the card stand below those of the page."""


def read_card(folder: Path) -> str:
    """Read the model card.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str, Markdown, without its title

    Raises
    ------
    ModelsError
        If there is none, or it cannot be read.
    """
    try:
        card = read_settled(folder, "README.md").decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelsError(
            f"{folder / 'README.md'} is missing or cannot be read: restore it from the repository, or train anew."
        ) from error
    return card.removeprefix("# Model card\n").lstrip("\n")


def show_cards(folder: Path, manifest: dict[str, Any], card: str) -> None:
    """Draw the card, folded up, and, below the models that ship, that of those that learnt FER2013's labels.

    Parameters
    ----------
    folder : Path
    manifest : dict
    card : str, as `read_card` gives it

    Raises
    ------
    ModelsError
        If the manifest or the card of the others cannot be read.
    """
    st.html("<style>.stMarkdown table { display: block; overflow-x: auto; }</style>")  # wide ones, on phones
    with st.expander("The model card: everything that was measured"):
        _show_card(folder, manifest, card)
    if folder.resolve() == config.MODELS.resolve() and settled(folder / _COMPARED, config.MANIFEST_FILE).is_file():
        others = folder / _COMPARED
        with st.expander("For comparison with the literature: models that learnt FER2013's labels"):
            st.markdown(f"They do not vote here. The command line takes them with `--models models/{_COMPARED}`.")
            _show_card(others, read_manifest(others), read_card(others))


def _show_card(folder: Path, manifest: dict[str, Any], card: str) -> None:
    card = _HEADING.sub("##", card)
    end = 0
    for drawn in _DRAWN.finditer(card):
        st.markdown(card[end : drawn.start()])
        end = drawn.end()
        shows, name = drawn.groups()
        has_networks = bool(manifest.get("networks"))
        if name is None:
            st.image(way(has_networks=has_networks), width=WIDTH, alt=way_told(has_networks=has_networks))
        elif settled(folder, name).is_file():
            st.image(str(settled(folder, name)), alt=shows)
    st.markdown(card[end:])
    with st.expander("Versions and checksums"):
        networks = {f"network_{number}.onnx": digest for number, digest in manifest.get("networks", {}).items()}
        files = {**networks, **manifest["files"]}
        st.table({"File": list(files), "SHA-256": list(files.values())}, hide_index=True)
        libraries: dict[str, Any] = manifest.get("libraries", {})
        st.table({"Library": list(libraries), "Version": list(libraries.values())}, hide_index=True)
