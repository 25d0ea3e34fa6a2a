"""A server that does not answer: the visitor is told, and the page goes on by itself when there is one again.

Streamlit (1.67) connects anew by itself, but draws nothing then: the page of a server that was started anew would stand
as it was, and know nothing of it.
"""

from typing import Final

import streamlit as st

from emotion.page.state import Visit

LOST: Final = (
    "The connection to the server was lost, and with it what this page had recognised. Files that you saved can be "
    "opened again."
)
"""What a visitor is told whose state is gone."""

_NOBODY: Final = "nobody"
"""In place of a visit's number where a visitor has not gone on from the notice, and so cannot lose anything."""

_TELL: Final = '<p role="status"></p>'

_LOOKS: Final = """
p:empty { display: none; }
p {
  position: fixed; z-index: 999992; top: 0.25rem; left: 50%; translate: -50%; box-sizing: border-box;
  width: max-content; max-width: calc(100vw - 1rem); margin: 0; padding: 0.5rem 1rem; border-radius: 0.5rem;
  background: var(--st-text-color); color: var(--st-background-color); font-family: var(--st-font);
}
"""

_LISTEN: Final = """
const unanswered = "The server does not answer. This page goes on by itself when it is back.";

export default function ({ data, parentElement, setTriggerValue }) {
  const app = document.querySelector('[data-testid="stApp"]');
  const told = parentElement.querySelector("p");
  let away = false;
  const look = () => {
    const was = away;
    away = app.dataset.testConnectionState !== "CONNECTED";
    told.textContent = away ? unanswered : "";
    // Who stands before the notice has lost nothing.
    if (was && !away) setTriggerValue("back", document.querySelector(".notice") ? data.nobody : data.visit);
    // Streamlit's own dialog says less, and takes the page away from who reads it.
    if (away) document.querySelector('[data-testid="stDialog"] button[aria-label="Close"]')?.click();
  };
  const connection = new MutationObserver(look);
  connection.observe(app, { attributeFilter: ["data-test-connection-state"] });
  connection.observe(document.body, { childList: true });
  look();
  return () => connection.disconnect();
}
"""


def keep_connected(state: Visit) -> None:
    """Have the browser listen whether the server is there; of a visit that came with another one, note that it is lost.

    Parameters
    ----------
    state : Visit
    """
    listen = st.components.v2.component("connection", html=_TELL, css=_LOOKS, js=_LISTEN)
    data = {"visit": state.number, "nobody": _NOBODY}
    back = listen(key="connection", data=data, on_back_change=lambda: None).get("back")
    if back not in (None, _NOBODY, state.number):
        state.outlived = True
