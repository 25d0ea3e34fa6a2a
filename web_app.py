"""The page: the faces of the webcam, of pictures or of a film, each with the vote of five models.

Started by ``streamlit run web_app.py``.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from emotion import Ensemble, load_models
from emotion.errors import ModelsError
from emotion.page.around.answers import keep_answers
from emotion.page.around.connection import keep_connected
from emotion.page.around.looks import show_links, show_styles
from emotion.page.around.notice import show_footer, told
from emotion.page.elements import show_problem
from emotion.page.face.part import show_face
from emotion.page.face.use import OUTDATED, switch, those_that_vote
from emotion.page.films.part import show_films
from emotion.page.models import choose_models, show_models
from emotion.page.pictures import show_pictures
from emotion.page.server import limit_heaps, set_aside, share_cores
from emotion.page.state import visit
from emotion.page.webcam import show_webcam
from emotion.vote.loading import manifest_checksum
from emotion.vote.sets import ModelSet


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Facial expression recognition", layout="wide")
    keep_answers()
    show_styles()
    keep_connected(visit())
    webcam = st.Page(
        lambda: _with_models(chosen, lambda models: show_webcam(those_that_vote(models))), title="Webcam", default=True
    )
    pictures = st.Page(
        lambda: _with_models(chosen, lambda models: show_pictures(those_that_vote(models))),
        title="Pictures",
        url_path="pictures",
    )
    films = st.Page(
        lambda: _with_models(chosen, lambda models: show_films(those_that_vote(models))),
        title="Films",
        url_path="films",
    )
    card = st.Page(
        lambda: _with_models(chosen, show_models),
        title="Models",
        url_path="models",
    )
    own_face = st.Page(lambda: _with_models(chosen, show_face), title="Your face", url_path="face")
    parts = [webcam, pictures, films, own_face, card]
    page = st.navigation(parts, position="top")
    if page == webcam and "url" in st.query_params:
        st.switch_page(pictures, query_params=st.query_params.to_dict())
    with st.container(key="head", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title("Facial expression recognition", anchor=False, width="content")
        show_links(parts)
        chosen, problems = choose_models(all_problems=page == card)
        switch(chosen)
    for problem in problems:
        show_problem(problem)
    if visit().face.outdated:
        st.info(OUTDATED)
        visit().face.outdated = page != own_face  # there, it can be mended
    show_footer()
    if page != webcam:
        visit().leave_webcam()
    if page not in (webcam, own_face):
        visit().video = ""
    if page == card or told():
        page.run()


def _with_models(chosen: ModelSet | None, show: Callable[[Ensemble], None]) -> None:
    if chosen is None:
        return  # the reason stands above
    try:
        show(shared_models(chosen.folder, manifest_checksum(chosen.folder)))
    except ModelsError as error:
        show_problem(str(error))


@st.cache_resource(max_entries=4, show_spinner="Loading the five models…")
def shared_models(folder: Path, checksum: str) -> Ensemble:
    """Load models, once for all visitors of this server. A failure is not kept: the next run tries again.

    Parameters
    ----------
    folder : Path
    checksum : str, of their manifest: those that were trained since are loaded anew

    Returns
    -------
    Ensemble

    Raises
    ------
    ModelsError
        If the models are missing or damaged.
    """
    limit_heaps()
    share_cores()
    models = load_models(folder)
    set_aside()
    return models


main()
