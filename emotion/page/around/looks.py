"""The page's own styles, where Streamlit's take too much room or are hard to read, and the parts' links on a phone."""

from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_STYLES: Final = """
<style>
[data-testid="stMain"] h2 { margin: 0; padding: 0.25rem 0; font-size: 1.375rem; }
.notice { max-width: 44rem; padding-left: 1rem; border-left: 0.25rem solid #0072b2; }
.notice h2 { padding: 0 0 0.5rem; }
.notice p, .notice ul { margin: 0 0 0.5rem; }
.notice li { margin-bottom: 0.25rem; }
/* Streamlit's captions have a contrast of 3.9 with their ground, where WCAG 2 wants 4.5. */
[data-testid="stCaptionContainer"] { opacity: 0.8; }
/* Of keys, Streamlit shows only faintly where they are, and at some buttons not at all. */
:is(a, button, summary, video):focus-visible { outline: 0.125rem solid #0072b2 !important; outline-offset: 0.125rem; }
summary:focus-visible, .st-key-parts a:focus-visible { outline-offset: -0.125rem; }
/* The line below: as high as its text. What keys lead to is not hidden behind it. */
[data-testid="stMain"] { scroll-padding: 3.5rem 0; }
[data-testid="stBottomBlockContainer"] { padding-top: 0.25rem; padding-bottom: 0.375rem; }
/* The video is as large as lets everything of a session stand in one view; on narrow windows, it takes the width. */
@media (min-width: 641px) {
  .stHorizontalBlock:has(.st-key-webcam_video) { flex-wrap: nowrap; }
  .stColumn:has(.st-key-webcam_video) { flex: 0 0 clamp(18rem, calc((100vh - 17.75rem) * 4 / 3), 60%); min-width: 0; }
  .stColumn:has(.st-key-webcam_video) + .stColumn { flex: 1 1 0; min-width: 0; }
}
/* Above: the parts, and one line with heading and switches, take 92 pixels together. */
[data-testid="stHeader"] { height: 3rem; min-height: 3rem; }
[data-testid="stMainBlockContainer"] { padding-top: 3.25rem; }
.st-key-head { min-height: 2.5rem; }
.st-key-head h1 { padding: 0; font-size: 1.375rem; }
/* What draws nothing takes no room, nor the gap beside it. */
.st-key-camera_check, .st-key-connection { position: absolute; width: 0; min-width: 0; overflow: hidden; }
[data-testid="stLayoutWrapper"]:has(> .st-key-parts) { display: none; }
/* Narrow windows, where Streamlit hides the parts behind a button without a word. */
@media (max-width: 767.98px) {
  :is([data-testid="stExpandSidebarButton"], [data-testid="stSidebar"], [data-testid="stStatusWidget"]) {
    display: none;
  }
  [data-testid="stLayoutWrapper"]:has(> .st-key-parts) {
    display: block; position: fixed; z-index: 999991; top: 0; left: 0; width: 100%;
  }
  .st-key-parts { height: 3rem; padding: 0 0.5rem; gap: 0; flex-wrap: nowrap; overflow-x: auto; }
  .st-key-parts a { min-height: 2.75rem; padding: 0 0.5rem; white-space: nowrap; }
  .st-key-head { min-height: 0; }
  .st-key-head [data-testid="stElementContainer"]:has(h1) {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }
}
</style>
"""


def show_styles() -> None:
    """Have the browser take them; they draw nothing."""
    st.html(_STYLES)


def show_links(parts: Sequence[StreamlitPage]) -> None:
    """Draw a row of links to the parts, which is seen in narrow windows alone.

    Parameters
    ----------
    parts : sequence of StreamlitPage
    """
    with st.container(key="parts", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        for part in parts:
            st.page_link(part)
