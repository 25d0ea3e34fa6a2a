"""Which models vote, and their card: what was trained on what, how good it is, and what it is not for."""

import os
import re
from pathlib import Path
from typing import Any, Final

import streamlit as st

from emotion import config
from emotion.errors import ModelsError
from emotion.page.state import visit
from emotion.vote.loading import read_manifest, read_settled, settled
from emotion.vote.sets import ModelSet, find_sets

_FOLDER_VARIABLE: Final = "EMOTION_MODELS"
_KEY: Final = "models"
"""Of the choice in the page's address, too."""
_COMPARED: Final = "fer2013"
"""Within the folder of models: those that learnt FER2013's labels, as the literature compares them."""

_WAY: Final = "A face goes to the networks, from each to one or two of five models, and from these to the vote"

_DRAWN: Final = re.compile(r"^!\[(.*)\]\((\w+\.png)\)$|^```mermaid\n[^`]*^```$", re.MULTILINE)
"""What the card leaves to the page: pictures of its folder, and the way of a face, which GitHub draws by itself."""


def choose_models(*, all_problems: bool) -> tuple[ModelSet | None, list[str]]:
    """Have the visitor choose among the sets of models that are there; where there is one, nothing is asked.

    At first it is the set that `EMOTION_MODELS` names or else the one that ships, unless the page's address names
    another, as in ``?models=my-models``.

    Parameters
    ----------
    all_problems : bool
        Whether to tell of each set that cannot be read, or only where the visitor does not get what was asked for.

    Returns
    -------
    chosen : ModelSet, or None where there is none
    problems : list of str, sentences
    """
    state = visit()
    named = os.environ.get(_FOLDER_VARIABLE) or None
    sets, unreadable = find_sets(named)
    by_name = {found.name: found for found in sets}
    asked = st.query_params.get(_KEY, "")
    if asked and asked not in by_name:
        state.unknown_models = asked  # Streamlit takes it out of the address
    if not sets:
        return None, unreadable
    chosen = sets[0].name
    if len(sets) > 1:
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            st.caption("Models that vote", width="content")  # beside the choice: above, it would push the video down
            chosen = st.selectbox(
                "Models that vote",
                list(by_name),
                key=_KEY,
                bind="query-params",
                on_change=lambda: setattr(state, "unknown_models", ""),
                label_visibility="collapsed",
                width=220,
            )
    problems = []
    if state.unknown_models and state.unknown_models not in by_name:  # it may have been trained meanwhile
        there = ", ".join(by_name)
        problems.append(f"No models are called {state.unknown_models} here. There are: {there}. Now {chosen} vote.")
    if all_problems or problems or sets[0].folder != Path(named or config.MODELS):
        problems += unreadable
    return by_name[chosen], problems


def show_models(folder: Path) -> None:
    """Draw the page from a folder of models, where training writes the card.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ModelsError
        If the manifest or the card cannot be read.
    """
    st.html("<style>.stMarkdown table { display: block; overflow-x: auto; }</style>")  # wide ones, on phones
    _show_card(folder)
    if folder.resolve() == config.MODELS.resolve() and settled(folder / _COMPARED, config.MANIFEST_FILE).is_file():
        with st.expander("For comparison with the literature: models that learnt FER2013's labels"):
            st.markdown(f"They do not vote here. The command line takes them with `--models models/{_COMPARED}`.")
            _show_card(folder / _COMPARED)


def _show_card(folder: Path) -> None:
    manifest = read_manifest(folder)
    try:
        card = read_settled(folder, "README.md").decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelsError(
            f"{folder / 'README.md'} is missing or cannot be read: restore it from the repository, or train anew."
        ) from error
    end = 0
    for drawn in _DRAWN.finditer(card):
        st.markdown(card[end : drawn.start()])
        end = drawn.end()
        shows, name = drawn.groups()
        if name is None:
            st.image(_way_of_a_face(has_networks=bool(manifest.get("networks"))), alt=_WAY)
        elif settled(folder, name).is_file():
            st.image(str(settled(folder, name)), alt=shows)
    st.markdown(card[end:])
    with st.expander("Versions and checksums"):
        networks = {f"network_{number}.onnx": digest for number, digest in manifest.get("networks", {}).items()}
        files = {**networks, **manifest["files"]}
        st.table({"File": list(files), "SHA-256": list(files.values())}, hide_index=True)
        libraries: dict[str, Any] = manifest.get("libraries", {})
        st.table({"Library": list(libraries), "Version": list(libraries.values())}, hide_index=True)


def _way_of_a_face(*, has_networks: bool) -> str:
    """Draw how a face comes to its vote, from above to below, so that it can be read on a phone."""
    shapes = []

    def box(x: int, y: int, width: int, *lines: str) -> None:
        shapes.append(f'<rect x="{x - width // 2}" y="{y}" width="{width}" height="{20 + 16 * len(lines)}" rx="6"/>')
        for row, line in enumerate(lines):
            shapes.append(f'<text x="{x}" y="{y + 23 + 16 * row}">{line}</text>')

    def arrow(x: int, y: int, to_x: int, to_y: int) -> None:
        shapes.append(f'<line x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y - 2}" marker-end="url(#tip)"/>')

    box(240, 4, 200, "a face, 48 x 48 grey pixels")
    box(240, 272, 260, "vote: what most of the five say")
    places = {1: (96, (48, 144)), 2: (288, (240, 336)), 3: (432, (432,))}
    for number, (x, below) in places.items():
        arrow(240, 40, x, 84)
        box(x, 84, 88, f"network {number}" if has_networks else "pixels")
        for place, name in zip(below, config.MODELS_OF_PIPELINE[number], strict=True):
            arrow(x, 120, place, 166)
            first, _, rest = name.partition("_")
            lines = (f"{first}_", rest) if "_" in rest else (name,)  # a long one would not fit
            box(place, 166, 88, *lines)
            arrow(place, 186 + 16 * len(lines), 240, 272)
    return (  # on white, as the other pictures are: a picture does not know the colours of the page
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 312" width="480" height="312" stroke="#333" '
        'fill="none" font-family="sans-serif" font-size="13"><defs>'
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#333"/></marker></defs>'
        "<style>text { text-anchor: middle; fill: #222; stroke: none }</style>"
        f'<rect width="480" height="312" fill="#fff" stroke="none"/>{"".join(shapes)}</svg>'
    )
