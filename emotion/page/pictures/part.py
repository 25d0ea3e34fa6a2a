"""The part Pictures: what asks for pictures, and what was found in them."""

from typing import Final

import streamlit as st

from emotion import config
from emotion.page.addresses import read_pasted
from emotion.page.elements import MOST_UPLOAD_MB
from emotion.page.pictures.asking import answered, ask_for, fetching
from emotion.page.pictures.results import show_results
from emotion.page.state import Request, visit
from emotion.vote.ensemble import Ensemble

_WHAT_HAPPENS: Final = (
    "Each face in your pictures is found, and five models vote on its expression. The pictures stay in memory as long "
    "as this page is open."
)
_NOTHING: Final = f"There is nothing to look at: give an address, or choose a file of at most {MOST_UPLOAD_MB} MB."


def show_pictures(models: Ensemble) -> None:
    """Draw the page: the form, the examples, and the pictures that were last asked for.

    Parameters
    ----------
    models : Ensemble
    """
    _open_address()
    request = visit().request
    is_folded = bool(request.pictures or request.pending)
    # With the request, its key changes: the browser draws another one, which is closed.
    with (
        st.expander("Other pictures", icon=":material/add_photo_alternate:", key=f"others_{id(request)}")
        if is_folded
        else st.container(gap="small")
    ):
        is_empty = _show_form(request)
    if is_empty:
        st.info(_NOTHING)
    pictures = answered(models)
    if pictures:
        show_results(pictures, models)
    elif is_folded:
        st.rerun()  # none could be shown: the form is wanted


def _open_address() -> None:
    """Ask for what the page's own address names, once."""
    state = visit()
    url = st.query_params.get("url", "")
    if url == state.opened_url:
        return
    state.opened_url = url
    if url:
        pasted = read_pasted(url)
        ask_for(fetching(pasted.addresses), problems=pasted.problems)


def _show_form(request: Request) -> bool:
    """Draw what asks for pictures. What is asked for takes the place of all that was chosen before.

    Returns
    -------
    bool, whether somebody has asked for nothing
    """
    key = f"{id(request)}"  # the next request has a form of its own, in which nothing is chosen yet
    st.text(_WHAT_HAPPENS)
    with st.form(f"pictures_{key}", border=True):
        addresses = st.text_area(
            "Addresses of pictures, one a line",
            placeholder="https://example.org/portrait.jpg",
            height=80,
            key=f"addresses_{key}",
        )
        files = st.file_uploader(
            "Or files", accept_multiple_files=True, max_upload_size=MOST_UPLOAD_MB, key=f"files_{key}"
        )
        is_asked = st.form_submit_button("Recognise", type="primary")
    examples = sorted(config.EXAMPLES.glob("*.jpg"))
    with st.container(horizontal=True, vertical_alignment="center"):
        if examples:
            st.text("Or an example:", width="content")
        chosen = [
            example
            for example in examples
            if st.button(example.stem.replace("-", " "), icon=":material/image:", key=f"{example.stem}_{key}")
        ]
    pasted = read_pasted(addresses) if is_asked else read_pasted("")
    sources = [*fetching(pasted.addresses), *((file.name, file.getvalue) for file in files if is_asked)]
    sources += [(example.name, example.read_bytes) for example in chosen]
    if sources or pasted.problems:
        ask_for(sources, problems=pasted.problems)
        st.query_params.pop("url", None)
        st.rerun()
    return is_asked
