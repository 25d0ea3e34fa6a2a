"""A vote on the page: the label, the ballots, the probabilities."""

from html import escape

import streamlit as st

from emotion import config
from emotion.ui.texts import show_heading
from emotion.voting import Vote


def show_label(vote: Vote) -> None:
    """Draw the expression that was elected, and by how many models.

    Parameters
    ----------
    vote : Vote
    """
    with st.container(gap=None):
        show_heading(vote.label)
        st.text(f"{'Uncertain: ' if vote.uncertain else ''}{vote.agreement} of {len(vote.ballots)} models agree")


def show_details(vote: Vote) -> None:
    """Draw the ballot of each model, and the calibrated probability of each expression.

    One element of the page, not a dozen: it is drawn anew beside a running video, and each element costs the browser
    milliseconds in which no frame is shown.

    Parameters
    ----------
    vote : Vote
    """
    ballots = "".join(
        f'<tr style="border-bottom: 1px solid #8884"><td>{escape(name)}</td><td>{escape(ballot)}</td></tr>'
        for name, ballot in zip(config.MODEL_NAMES, vote.ballots, strict=True)
    )
    bars = "".join(
        f'<label style="display: block">{escape(label)} {share:.0%}'
        f'<progress value="{share:.3f}" style="display: block; width: 100%; accent-color: #0072b2"></progress></label>'
        for label, share in vote.probabilities.items()
    )
    st.html(
        '<table style="width: 100%; margin-bottom: 0.75rem; text-align: left"><thead><tr><th>Model</th><th>Ballot</th>'
        f"</tr></thead><tbody>{ballots}</tbody></table>{bars}"
    )
