"""Pieces of the page. Every function here calls Streamlit, and may only be called on a page's own thread."""
