"""Folder names become labels that read well and are stable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.labels import label_of


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("angry", "Angry"),
        ("HAPPY", "Happy"),
        ("Suprise", "Surprise"),  # a well-known data set's spelling
        ("suprise", "Surprise"),
        ("very_happy", "Very Happy"),
        ("don't know", "Don't Know"),  # not Don'T
        ("b\udcffse", "B\\udcffse"),  # a name that is not UTF-8
    ],
)
def test_labels(folder: str, label: str) -> None:
    assert label_of(folder) == label


@given(st.text())
def test_a_label_stays_what_it_is(folder: str) -> None:
    """Labels are read back from tables: a second pass must not change them."""
    assert label_of(label_of(folder)) == label_of(folder)
