"""The page: the faces of the webcam, or of an image address, each with the vote of five models.

Started by ``streamlit run web_app.py``.
"""

import streamlit as st

from emotion import Ensemble, config, load_models
from emotion.errors import ModelsError
from emotion.ui.image_url import show_image_url
from emotion.ui.votes import plain
from emotion.ui.webcam import show_webcam


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="Facial expression recognition", layout="wide")
    st.header("Facial expression recognition", anchor=False)
    st.caption(
        "An expression is not a feeling. Not for work or school: the EU AI Act forbids it there. "
        "Pictures are not stored and not passed on."
    )
    with st.sidebar:
        mode = st.radio("Source", ["Webcam", "Image URL"])
        st.caption(
            "Five models look at each face, and each casts a ballot. The expression with the most ballots wins; it is "
            "called uncertain where it is so improbable that more than half of such votes were wrong when measured."
        )
    try:
        models = shared_models()
    except ModelsError as error:
        st.error(plain(str(error)))
        return
    if mode == "Webcam":
        show_webcam(models)
    else:
        show_image_url(models)


@st.cache_resource(show_spinner="Loading the five models…")
def shared_models() -> Ensemble:
    """Load the models, once for all visitors of this server. A failure is not kept: the next run tries again.

    Returns
    -------
    Ensemble

    Raises
    ------
    ModelsError
        If the models are missing or damaged.
    """
    return load_models(config.MODELS)


main()
