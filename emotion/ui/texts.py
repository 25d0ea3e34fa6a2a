"""Texts of others on the page, as they are.

Streamlit's own elements take Markdown, in which addresses become links, ``:name:`` a symbol and ``--`` a dash, also
behind backslashes.
"""

from html import escape

import streamlit as st


def show_problem(text: str) -> None:
    """Draw what went wrong, as `streamlit.error` looks.

    Parameters
    ----------
    text : str
    """
    st.html(
        '<div role="alert" style="padding: 1rem; border-radius: 0.5rem; background: #ff2b2b26; '
        f'white-space: pre-wrap; overflow-wrap: anywhere">{escape(text)}</div>'
    )


def show_heading(text: str) -> None:
    """Draw a heading, as `streamlit.subheader` looks.

    Parameters
    ----------
    text : str
    """
    st.html(f'<h3 style="overflow-wrap: anywhere">{escape(text)}</h3>')
