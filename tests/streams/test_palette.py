"""The colours of expressions stay apart for everybody, on light ground and on dark."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from emotion.streams.drawing import expression_colour

# Machado, Oliveira and Fernandes (2009), severity 1: to be applied to linear red, green and blue.
SEEN_BY = {
    "everybody else": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}

LEAST_APART = {7: 16.0, 10: 13.0}
"""CIEDE2000, in which 1 is just seen between two large patches side by side; lines and small marks need several times
that. Okabe and Ito's seven colours (2008), which were made for this, keep 10.9."""

GROUNDS = {"#ffffff": 2.29, "#171614": 2.7}
"""Streamlit's, light and dark, and the contrast of WCAG 2 that colours have with them at least. Okabe and Ito's sky
blue has 2.3 on white; more, on both, would cost distance."""

Colours = NDArray[np.float64]
"""ndarray of shape (n, 3), float64, 0-1, linear red, green and blue."""


def linear(colours: list[str]) -> Colours:
    encoded = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in colours])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encoded(colours: Colours) -> Colours:
    inside = colours.clip(0.0, 1.0)
    return np.where(inside <= 0.0031308, 12.92 * inside, 1.055 * inside ** (1 / 2.4) - 0.055)


def luminance(colours: Colours) -> NDArray[np.float64]:
    return np.asarray(colours @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("who", SEEN_BY)
@pytest.mark.parametrize("n", LEAST_APART)
def test_no_two_expressions_look_alike(n: int, who: str) -> None:
    """Who takes the line of Angry for that of Disgust reads the wrong expression in a chart."""
    colours = [expression_colour(place) for place in range(n)]
    lab = rgb2lab(encoded(linear(colours) @ np.array(SEEN_BY[who]).T))
    one, other = np.triu_indices(n, 1)
    apart = deltaE_ciede2000(lab[one], lab[other])
    closest = apart.argmin()
    assert apart.min() >= LEAST_APART[n], (colours[one[closest]], colours[other[closest]])


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_expression_is_seen_on_its_ground(ground: str) -> None:
    drawn = luminance(linear([expression_colour(place) for place in range(10)])) + 0.05
    behind = luminance(linear([ground])) + 0.05
    assert np.maximum(drawn / behind, behind / drawn).min() >= GROUNDS[ground]


def test_grey_is_neutral_and_nothing_else() -> None:
    """Greys beside it would be taken for a vote that is missing."""
    lab = rgb2lab(encoded(linear([expression_colour(place) for place in range(10)])))
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    assert chroma[4] < 1
    assert np.delete(chroma, 4).min() > 10
