"""The page on a server so busy that it draws twice before it sends anything: no browser shows the first of the two."""

import runpy
import time

import streamlit as st
from streamlit import runtime

from emotion import config

st.session_state.drawing = st.session_state.get("drawing", 0) + 1
is_lost = st.session_state.drawing % 2 == 1
if is_lost:
    runtime.get_instance()._get_async_objs().eventloop.call_soon_threadsafe(time.sleep, 2)
runpy.run_path(str(config.ROOT / "web_app.py"), run_name="__main__")
if is_lost:
    st.rerun()
