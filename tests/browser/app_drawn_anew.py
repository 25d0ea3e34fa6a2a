"""A page that is drawn anew before an answer to the browser is sent: with a download and a choice of files.

It is drawn all the time, and the server comes to nothing else for a while once it has an answer.
"""

import time

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession

from emotion.page.around.answers import keep_answers
from emotion.page.downloads import offer_download

enqueue = AppSession._enqueue_forward_msg


def enqueue_and_dawdle(session: AppSession, message: ForwardMsg) -> None:
    enqueue(session, message)
    if message.WhichOneof("type") in ("backend_operation_response", "file_urls_response"):
        time.sleep(0.2)


if enqueue.__name__ != enqueue_and_dawdle.__name__:  # this file runs anew whenever the page is drawn
    AppSession._enqueue_forward_msg = enqueue_and_dawdle  # type: ignore[method-assign]
keep_answers()
offer_download("Save", lambda: "Zoë", "session.csv", "text/csv")
for file in st.file_uploader("Choose files", accept_multiple_files=True):
    st.text(f"{file.name} has come")
time.sleep(0.01)
st.rerun()
