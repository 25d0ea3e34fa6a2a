"""What people are told before anything is recognised, and the line that stays in view afterwards.

The European Union's AI Act (Regulation 2024/1689) wants those whose expressions are read told clearly, at the latest
when it first happens, in an accessible way (Article 50(3) and (5)). So the notice stands in place of what reads them:
no camera is asked for, no address fetched and no model asked before it was passed.
"""

from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from emotion.page.around.connection import LOST
from emotion.page.state import visit

_OF_THIS_COMPUTER: Final = ("localhost", "127.0.0.1", "::1")

_HERE: Final = "on this computer. Nothing is stored, and nothing is sent on."
_ELSEWHERE: Final = (
    "on the server of this page. What you show goes to that server; there, nothing is stored, and nothing is sent on."
)

# Drawn at once when the page is open, which screen readers hear as an alert; its lines can be gone through then.
_NOTICE: Final = """
<section class="notice" aria-labelledby="notice-heading">
<h2 id="notice-heading">Before you begin</h2>
<div role="alert">
<p><strong>This page reads the facial expressions of everyone in the picture.</strong> Tell them before you show
them to it.</p>
<ul>
<li>Five models vote on each face, {where}</li>
<li>An expression is not a feeling. A smile may be polite, and the models are often wrong.</li>
<li>Do not judge anyone by it at work or at school. The EU AI Act forbids inferring feelings there
(Article 5(1)(f)).</li>
<li>A class may study the program itself: with the examples, or with pictures of people who agreed to that, and
without inferring anything about pupils.</li>
</ul>
</div>
</section>
"""

_FOOTER: Final = "An expression is not a feeling: judge nobody by it."


def told() -> bool:
    """Draw the notice with a button that goes on, until this visitor has pressed it, once for all parts.

    Returns
    -------
    bool, whether the visitor has gone on
    """
    state = visit()
    # The place stays when the notice is gone: what stood there goes at once, and not when the models are loaded.
    place = st.empty()
    if not state.told:
        with place.container():
            if state.outlived:
                st.info(LOST)
            st.html(_NOTICE.format(where=_where()))
            st.button("Go on", type="primary", on_click=lambda: setattr(state, "told", True))
    return state.told


def _where() -> str:
    host = urlsplit(st.context.url or "").hostname
    return _HERE if host in _OF_THIS_COMPUTER else _ELSEWHERE


def show_footer() -> None:
    """Draw the line that stays in view, whatever part of the page is scrolled to."""
    st.bottom.caption(_FOOTER)
