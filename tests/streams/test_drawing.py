"""What is drawn of faces covers nobody, stands out anywhere, and says without colours what colours say."""

import itertools

import numpy as np
import pytest

from emotion.faces.detect import Box
from emotion.streams import drawing
from emotion.streams.drawing import Mark, draw_caption, draw_marks, expression_colour, with_room
from emotion.streams.plates import Area, Side, Steady, around, beside, text_tile
from emotion.vote.voting import Vote
from tests.streams.test_palette import linear, luminance

CLASSES = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")


def vote(label: str, *, uncertain: bool = False, classes: tuple[str, ...] = CLASSES) -> Vote:
    return Vote(label, (label,) * 5, dict.fromkeys(classes, 1 / len(classes)), tie=False, uncertain=uncertain)


def mark(number: int, box: Box, label: str = "Sad", *, uncertain: bool = False, fading: bool = False) -> Mark:
    return Mark(number, box, vote(label, uncertain=uncertain), fading)


def ground(height: int = 240, width: int = 320, grey: int = 120) -> np.ndarray:
    return np.full((height, width, 3), grey, dtype=np.uint8)


def colour_bgr(label: str) -> tuple[int, ...]:
    colour = expression_colour(CLASSES.index(label))
    return tuple(int(colour[i : i + 2], 16) for i in (5, 3, 1))


def where(picture: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    return (picture == colour).all(axis=-1)


def test_several_faces_carry_their_numbers_and_a_single_one_does_not():
    picture = ground()
    first, second = mark(1, Box(20, 60, 80, 80)), mark(2, Box(200, 150, 60, 60))
    alone, together = draw_marks(picture, [first]), draw_marks(picture, [first, second])
    label = np.s_[30:55, 15:190]
    assert not np.array_equal(alone[label], together[label])
    same_number = draw_marks(picture, [first, mark(1, second.box)])
    assert not np.array_equal(together, same_number)
    assert (picture == 120).all(), "the frame itself must stay as it is"


def test_colours_are_those_of_expressions_and_the_same_for_every_face():
    """Else a "Happy" stands on the colour that the chart below has for Angry."""
    for number, label in itertools.product((1, 2), CLASSES):
        drawn = draw_marks(ground(), [mark(number, Box(100, 100, 80, 80), label)])
        box, plate = drawn[140, 96:104], drawn[80:95, 100:180]
        assert (box == colour_bgr(label)).all(axis=-1).any(), label
        assert (plate == colour_bgr(label)).all(axis=-1).any(), label


def test_a_face_without_a_vote_has_no_colour():
    drawn = draw_marks(ground(), [Mark(1, Box(100, 100, 80, 80), None)])
    assert (drawn == drawn[..., :1]).all()
    assert where(drawn[130:150, 96:104], (255, 255, 255)).any()


@pytest.mark.parametrize("side", [12, 40, 200])
def test_an_uncertain_vote_is_told_without_colour(side: int):
    """By gaps in the line: who cannot tell colours apart, or reads no words on a small film, sees them."""
    gaps = []
    for uncertain in (False, True):
        drawn = draw_marks(ground(), [mark(1, Box(20, 30, side, side), uncertain=uncertain)])
        gaps.append(int(where(drawn[30 + side], (120, 120, 120))[20 : 20 + side].sum()))
    assert gaps[0] == 0
    assert gaps[1] > side / 6


def test_a_box_is_seen_on_any_ground():
    """WCAG 2 asks for a contrast of 3 of what is not text."""
    levels = np.linspace(0, 255, 5).astype(np.uint8)
    for colour, label in itertools.product(itertools.product(levels, repeat=3), (*CLASSES, None)):
        picture = np.full((100, 100, 3), colour, dtype=np.uint8)
        seen = Mark(1, Box(30, 30, 50, 50), None if label is None else vote(label))
        line = draw_marks(picture, [seen])[60, 26:36]
        drawn = {tuple(pixel) for pixel in line.tolist()} - {tuple(int(part) for part in colour)}
        there = luminance(linear([_html(pixel) for pixel in drawn])) + 0.05
        [behind] = luminance(linear([_html(colour)])) + 0.05
        assert np.maximum(there / behind, behind / there).max() >= 3, (colour, label)


def test_the_text_of_every_plate_can_be_read():
    """WCAG 2 asks for a contrast of 4.5 of text."""
    for place in range(10):
        plate = text_tile("M", 40, tuple(int(expression_colour(place)[i : i + 2], 16) for i in (5, 3, 1)))
        [paper] = luminance(linear([expression_colour(place)])) + 0.05
        ink = luminance(linear([_html(plate[1:-1, 1:-1].reshape(-1, 3)[_farthest(plate)])])) + 0.05
        assert max(ink[0] / paper, paper / ink[0]) >= 4.5, expression_colour(place)


def _html(bgr) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in reversed(bgr))


def _farthest(plate: np.ndarray) -> int:
    inside = plate[1:-1, 1:-1].reshape(-1, 3).astype(int)
    return int(np.abs(inside - inside[0]).sum(axis=1).argmax())


def test_a_face_that_was_not_found_for_a_moment_fades():
    box = Box(100, 100, 80, 80)
    there, fading = (
        np.abs(draw_marks(ground(), [mark(1, box, "Angry", fading=fades)]).astype(int) - 120) for fades in (False, True)
    )
    assert ((fading > 0) == (there > 0)).mean() > 0.99, "it is drawn whole"
    assert 0.2 < fading.sum() / there.sum() < 0.6
    other = mark(2, Box(220, 100, 80, 80), "Happy")
    both = draw_marks(ground(), [mark(1, box, fading=True), other])
    assert where(both, colour_bgr("Happy")).any(), "one who is there does not fade with another"


# Plates


def layouts(n: int = 80) -> list[tuple[tuple[int, int], list[Mark]]]:
    """Pictures and groups in them, also at their edges, of all sizes and over each other."""
    random = np.random.default_rng(33)
    made = []
    for _ in range(n):
        width, height = (int(side) for side in random.integers(160, 1500, 2))
        marked = []
        for number in range(1, random.integers(2, 14)):
            side = int(min(width, height) * random.uniform(0.05, 0.3))
            x, y = (
                int(random.integers(-side // 3, width - side // 2)),
                int(random.integers(-side // 3, height - side // 2)),
            )
            label = CLASSES[random.integers(len(CLASSES))]
            box = Box(x, y, side, int(side * random.uniform(1, 1.4)))
            marked.append(mark(number, box, label, uncertain=bool(random.integers(2))))
        made.append(((width, height), marked))
    return made


def test_no_plate_lies_on_any_face_or_on_another_plate_where_there_is_another_place():
    """Else the label of one face hides its neighbour's."""
    words = numbers = corners = 0
    for (width, height), marked in layouts():
        picture = ground(height, width)
        faces = [around(mark.box, 0) for mark in marked]
        lines = [around(mark.box, drawing._margin(picture, mark.box)) for mark in marked]
        plates = drawing._plates(picture, marked, Steady(), numbered=True)
        assert len(plates) == len(marked)
        areas = [Area.at((p.x, p.y), p.tile.shape[1::-1]) for p in plates]
        for n, (area, own) in enumerate(zip(areas, faces, strict=True)):
            if any(area.overlaps(face) for face in faces):
                # Then it is a number, in the corner of its own box, and nowhere beside the box would it have had room.
                assert area.left in (max(0, own.left), own.right - (area.right - area.left))
                assert area.top in (max(0, own.top), own.bottom - (area.bottom - area.top))
                size = plates[n].tile.shape[1::-1]
                assert size[0] < 2 * size[1]
                assert not any(beside(side, size, lines[n], [*areas[:n], *lines], (width, height)) for side in Side)
                corners += 1
                continue
            assert 0 <= area.left <= area.right <= width
            assert 0 <= area.top <= area.bottom <= height
            assert not any(area.overlaps(other) for other in areas[:n])
            if plates[n].tile.shape[1] > 2.5 * plates[n].tile.shape[0]:
                words += 1
            else:
                numbers += 1
    assert words > 3 * (numbers + corners)
    assert numbers > 0


def test_a_plate_finds_the_one_place_that_is_left():
    face, picture = Area(100, 100, 160, 180), (400, 300)
    walls = {
        Side.ABOVE: Area(0, 0, 400, 100),
        Side.BELOW: Area(0, 180, 400, 300),
        Side.RIGHT: Area(160, 100, 400, 180),
        Side.LEFT: Area(0, 100, 100, 180),
    }
    for side in Side:
        taken = [face, *(wall for other, wall in walls.items() if other is not side)]
        places = [beside(other, (80, 20), face, taken, picture) for other in Side]
        assert [place is not None for place in places] == [other is side for other in Side]
    assert beside(Side.ABOVE, (80, 20), face, [face, Area(90, 70, 110, 90)], picture) == (110, 80), "moved along"
    assert beside(Side.ABOVE, (80, 20), face, [face, Area(0, 70, 140, 90)], picture) is None, "too far aside"


def test_texts_are_hardly_wider_than_their_faces_and_readable():
    picture = ground(720, 960)
    for side in (40, 90, 150, 300):
        [plate] = drawing._plates(picture, [mark(1, Box(300, 300, side, side))], Steady(), numbered=False)
        height, width = plate.tile.shape[:2]
        assert width <= max(1.3 * side + 10, 110)
        assert height >= 20


def test_the_plates_of_a_video_stay_where_they_are():
    """A text that jumps from side to side cannot be read."""
    random = np.random.default_rng(5)
    picture = ground(240, 320)
    steady, sides, sizes = Steady(), set(), set()
    for _ in range(60):
        # The first one's head is as near to the upper edge as its text is high, give or take a pixel.
        x, y = (int(shaken) for shaken in random.integers(-1, 2, 2))
        marked = [mark(1, Box(60 + x, 24 + y, 70 + x, 80 + y)), mark(2, Box(170 + y, 60 + x, 70 + y, 80 + x))]
        first, second = drawing._plates(picture, marked, steady, numbered=True)
        sides.add((first.y < 12, second.y < 50))
        sizes.add((first.tile.shape[0], second.tile.shape[0]))
    assert len(sides) <= 2, "from above to below, and not back"
    assert len(sizes) == 1


def test_a_face_that_fills_a_small_picture_is_shown_whole_and_large():
    """FER2013's are 48 pixels wide; the text would lie on the mouth."""
    for label, uncertain in (("Happy", False), ("Surprise", True)):
        small = ground(48, 48)
        roomy, [moved] = with_room(small, [mark(1, Box(0, 0, 48, 48), label, uncertain=uncertain)])
        assert roomy.shape[1] == 480
        assert roomy.shape[0] > 480
        drawn = draw_marks(roomy, [moved])
        assert (drawn[10:470, 10:470] == 120).all()
        assert (drawn[482:] != roomy[482:]).any(), "there is no text below"


@pytest.mark.parametrize(("height", "width"), [(300, 400), (1000, 900), (600, 30), (1, 700)])
def test_a_picture_with_room_stays_as_it_is_but_for_its_size(height: int, width: int):
    picture = ground(height, width)
    box = Box(width // 3, height // 3, max(1, width // 4), max(1, height // 4))
    for marked in ([], [mark(1, box), mark(2, box)]):
        roomy, moved = with_room(picture, marked)
        times = roomy.shape[0] / height
        assert times == roomy.shape[1] / width in (1, 2)
        assert [m.box for m in moved] == [Box(*(int(times * edge) for edge in m.box)) for m in marked]
    draw_marks(*with_room(picture, [mark(1, Box(0, 0, width, height))]))


def test_a_caption_stands_below_the_picture():
    captioned = draw_caption(ground(480, 640), ["2026-11-29 20:15:00", "An expression is not a feeling."])
    assert captioned.shape[1] == 640
    assert (captioned[:480] == 120).all()
    assert len(np.unique(captioned[480:])) > 2


@pytest.mark.parametrize(
    ("one", "other"), [("Glücklich", "Glöcklich"), ("Радость", "Грустно"), ("λύπη", "χαρά"), ("colère", "colére")]
)
def test_classes_of_other_languages_are_told_apart(one, other):
    """With letters that a font lacks, all words of a length look the same."""

    def label(text: str) -> np.ndarray:
        return draw_marks(ground(), [Mark(1, Box(100, 80, 90, 90), vote(text, classes=(text,)))])

    assert not np.array_equal(label(one), label(other))
    missing = "\U0010fffd"  # what no font has
    for letter in one:
        assert not np.array_equal(label(letter), label(missing)), letter
