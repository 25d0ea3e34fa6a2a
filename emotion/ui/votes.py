"""A vote on the page: the label, the ballots, the probabilities."""

import re

import streamlit as st

from emotion import config
from emotion.voting import Vote


def show_label(vote: Vote) -> None:
    """Draw the expression that was elected, and by how many models.

    Parameters
    ----------
    vote : Vote
    """
    with st.container(gap=None):
        st.subheader(plain(vote.label), anchor=False)
        st.text(f"{'Uncertain: ' if vote.uncertain else ''}{vote.agreement} of {len(vote.ballots)} models agree")


def show_details(vote: Vote) -> None:
    """Draw the ballot of each model, and the calibrated probability of each expression.

    Parameters
    ----------
    vote : Vote
    """
    ballots = {"Model": list(config.MODEL_NAMES), "Ballot": [plain(ballot) for ballot in vote.ballots]}
    st.table(ballots, border="horizontal", hide_index=True)
    with st.container(gap="xxsmall"):
        for label, probability in vote.probabilities.items():
            st.progress(probability, text=f"{plain(label)} {probability:.0%}")


def plain(text: str) -> str:
    """Write a text so that Streamlit, which takes Markdown, shows it as it is.

    Parameters
    ----------
    text : str

    Returns
    -------
    str, one line, each punctuation mark behind a backslash
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
