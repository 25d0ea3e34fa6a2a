"""The part of the page on the models: what happens to a face, how often that is right, and when it is not."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

import streamlit as st

from emotion.labels import knows_calm
from emotion.page.face.use import those_that_vote
from emotion.page.models import sentences
from emotion.page.models.ballots import show_ballots
from emotion.page.models.card import read_card, show_cards
from emotion.page.models.drawings import WIDTH, Bar, bars, way, way_told
from emotion.page.models.words import models_told, terms_told
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import day_of, read_manifest
from emotion.vote.measured.reading import ClassCount, Measured, Reliability, measured
from emotion.vote.measured.shares import HARDLY_ANY, interval
from emotion.vote.sets import SHIPPED, set_name

_COLUMNS: Final = 3
"""Charts of sets from elsewhere stand side by side."""


def show_models(models: Ensemble) -> None:
    """Draw the part.

    Parameters
    ----------
    models : Ensemble

    Raises
    ------
    ModelsError
        If the manifest or the card of their folder cannot be read.
    """
    folder = Path(models.origin[0])
    manifest, card = read_manifest(folder), read_card(folder)  # what they are not for, the card says: none without it
    of = measured(manifest)
    _introduce(models, set_name(folder), day_of(manifest))
    _heading("From a picture to a vote")
    _show_way(has_networks=of.has_networks)
    _heading("The same face, five ballots")
    show_ballots(models, has_networks=of.has_networks)
    _heading("What they find, and what they mix up")
    _show_findings(of)
    if of.elsewhere:
        _heading("On other kinds of pictures")
        _show_elsewhere(of)
    _heading("When not to trust them")
    _show_doubts(of)
    _heading("The five models, and the words")
    _show_words(of)
    show_cards(folder, manifest, card)


def _heading(text: str) -> None:
    st.header(text, anchor=False)


def _paragraphs(texts: Sequence[str]) -> None:
    st.html("".join(f'<p style="overflow-wrap: anywhere">{escape(text)}</p>' for text in texts))


def _list(texts: Sequence[str], kind: str = "ul") -> None:
    items = "".join(f'<li style="overflow-wrap: anywhere">{escape(text)}</li>' for text in texts)
    st.html(f"<{kind}>{items}</{kind}>")


def _introduce(models: Ensemble, name: str, day: str) -> None:
    whose = "the models that ship" if name == SHIPPED else name
    trained = f", trained on {day}" if day else ""
    classes = ", ".join(models.classes)
    told = [
        "Five models each look at a face and say which expression people would see in it. What most of them say is the "
        f"vote. These are {whose}{trained}; they know {classes}."
    ]
    if not knows_calm(models.classes):
        told.append(f"They know no calm face: each one is called one of {classes}.")
    if those_that_vote(models).is_personal:
        told.append(
            "For you, models vote now that learnt your face. What stands here was measured of those that know nobody."
        )
    _paragraphs(told)


def _show_way(*, has_networks: bool) -> None:
    left, right = st.columns([2, 3], gap="medium", vertical_alignment="center")
    left.image(way(has_networks=has_networks), width=WIDTH, alt=way_told(has_networks=has_networks))
    seen = (
        "Three networks look at it, each in its own way: each makes a short list of numbers, in which faces that look "
        "alike are alike."
        if has_networks
        else "There are no networks: the models see the pixels as they are."
    )
    with right:
        _list(
            [
                "In the picture, a face is sought. It is cut out upright.",
                "The face becomes a small grey picture of 48 x 48 pixels. Nothing else is seen: no body, no room, no "
                "colour.",
                seen,
                "Five models take these numbers. Each has learnt from the same faces, but in another way.",
                "Each gives one ballot: the one expression that it finds most probable.",
                "The expression with most ballots is the vote. Of two with as many, the one that the five find more "
                "probable.",
            ],
            "ol",
        )


def _bars_of(classes: Sequence[ClassCount], independent: float = 1.0) -> list[Bar]:
    rows = []
    for count in (count for count in classes if count.faces):
        line = interval(count.right, count.faces, independent)
        told = sentences.with_interval(count.right, count.faces, independent).partition(" (")[0]
        rows.append(Bar(count.label, count.right / count.faces, told, *line))
    return rows


def _alt_of(which: str, classes: Sequence[ClassCount], independent: float = 1.0) -> str:
    numbers = "; ".join(
        f"{count.label} {sentences.with_interval(count.right, count.faces, independent)}"
        for count in classes
        if count.faces
    )
    return f"Bars of the faces of each expression that the vote finds, {which}, with 95% intervals: {numbers}."


def _show_findings(of: Measured) -> None:
    _paragraphs(sentences.overall(of))
    if of.unreadable:
        _paragraphs([f"The manifest of these models cannot be read in these parts: {', '.join(of.unreadable)}."])
    if of.tried is None:
        return
    tried = of.tried
    left, right = st.columns(2, gap="large")
    with left:
        alt = _alt_of(f"on {tried.faces:,} faces", tried.classes, tried.independent)
        st.html(bars(_bars_of(tried.classes, tried.independent), alt))
        st.caption("How many of the faces of each expression are found; the thin line is the 95% interval.")
    with right:
        _list([sentences.found(count, tried.part) for count in tried.classes])


def _show_elsewhere(of: Measured) -> None:
    _paragraphs(
        [
            "The whole way from picture to vote, on collections of pictures that nothing was learnt from. A face that "
            "was not found counts as wrong."
        ]
    )
    for start in range(0, len(of.elsewhere), _COLUMNS):
        columns = st.columns(_COLUMNS, gap="large")
        for column, other in zip(columns, of.elsewhere[start : start + _COLUMNS], strict=False):
            with column:
                name = f'<h3 style="padding: 0; overflow-wrap: anywhere">{escape(other.name)}</h3>'
                st.html(f"{name}<p>{escape(sentences.elsewhere(other))}</p>")
                st.html(bars(_bars_of(other.classes), _alt_of(f"in {other.name}", other.classes)))


def _show_doubts(of: Measured) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _list(sentences.doubts(of))
    if of.reliability is not None:
        with right:
            _show_reliability(of.reliability, of_people=of.of_people)


def _show_reliability(held: Reliability, *, of_people: bool) -> None:
    told = [bin_ for bin_ in held.bins if bin_[2] >= HARDLY_ANY]
    right = "people who see the same" if of_people else "votes that are right"
    rows = [Bar(f"claims {claimed:.0%}", share, f"{share:.0%}", mark=claimed) for claimed, share, _ in told]
    numbers = "; ".join(f"claimed {claimed:.0%}, right {share:.0%}" for claimed, share, _ in told)
    alt = f"Bars of how often votes are right that claim a probability: {numbers}."
    st.html(bars(rows, alt))
    st.caption(
        f"What votes claim, and the share of {right} (bar). Where the bar ends at the orange mark, they claim what is "
        "true; where it ends before, they are too sure."
    )


def _show_words(of: Measured) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _definitions(models_told(of))
    with right:
        _definitions(terms_told(of))


def _definitions(told: Mapping[str, str]) -> None:
    st.html(
        '<dl style="padding-left: 0">'
        + "".join(
            f'<dt style="font-weight: 600">{escape(term)}</dt>'
            f'<dd style="margin: 0 0 0.6rem 0; overflow-wrap: anywhere">{escape(text)}</dd>'
            for term, text in told.items()
        )
        + "</dl>"
    )
