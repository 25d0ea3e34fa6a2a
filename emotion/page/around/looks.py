"""The page's own styles, where Streamlit's take too much room or are hard to read."""

from typing import Final

import streamlit as st

_STYLES: Final = """
<style>
.notice { max-width: 44rem; padding-left: 1rem; border-left: 0.25rem solid #0072b2; }
.notice h2 { padding: 0 0 0.5rem; font-size: 1.5rem; }
.notice p, .notice ul { margin: 0 0 0.5rem; }
.notice li { margin-bottom: 0.25rem; }
/* Streamlit's captions have a contrast of 3.9 with their ground, where WCAG 2 wants 4.5. */
[data-testid="stCaptionContainer"] { opacity: 0.8; }
/* The line below: as high as its text. */
[data-testid="stBottomBlockContainer"] { padding-top: 0.25rem; padding-bottom: 0.375rem; }
</style>
"""


def show_styles() -> None:
    """Have the browser take them; they draw nothing."""
    st.html(_STYLES)
