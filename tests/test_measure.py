"""How often the whole way is right, from a picture to its vote: what people ask of a program before they trust it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from emotion import cli
from emotion.data.dataset import Faces
from emotion.measure import measure_boxes, measure_pictures, outcome_lines, summary
from emotion.vote.loading import load_models
from tests.synthetic import write_table
from tests.tiny_models import write_tiny_models

PORTRAIT = np.ascontiguousarray(data.astronaut()[:, :, ::-1])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A black face is Angry, a white one Sad."""
    return write_tiny_models(tmp_path / "models")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    white, black = np.full((48, 48), 255, np.uint8), np.zeros((48, 48), np.uint8)
    shown = {"sad": [white, white, black], "angry": [black, np.full((300, 300), 90, np.uint8)], "happy": [PORTRAIT]}
    for label, images in shown.items():
        (tmp_path / "set" / label).mkdir(parents=True)
        for number, image in enumerate(images):
            cv2.imwrite(str(tmp_path / "set" / label / f"{number}.png"), image)
    return tmp_path / "set"


def test_found_and_right_are_counted_for_each_expression(pictures: Path, models: Path) -> None:
    outcomes, unreadable, _ = measure_pictures(pictures, load_models(models), progress=False)
    assert unreadable == 0
    assert [outcome.is_right for outcome in outcomes if outcome.label == "Sad"] == [True, True, False]
    assert [outcome.vote is None for outcome in outcomes if outcome.label == "Angry"] == [False, True]
    lines = outcome_lines(outcomes).splitlines()
    assert lines[1].split() == ["Angry", "2", "1", "1", "of", "2", "1", "of", "1"]
    assert lines[3].split() == ["Sad", "3", "3", "2", "of", "3", "2", "of", "3"]
    assert lines[4].split()[:3] == ["all", "6", "5"]
    assert lines[5] == "Always saying Sad would be right on 3 of 6."
    assert lines[6].startswith("Votes claim ")


def test_what_a_manifest_says_of_pictures_from_elsewhere_is_counted_whole(pictures: Path, models: Path) -> None:
    """Faces that are not found count among the pictures: never the favourable half."""
    outcomes, _, _ = measure_pictures(pictures, load_models(models), progress=False)
    measured = summary(outcomes, {"Angry": 0.5, "Happy": 0.1, "Sad": 0.4})
    happy = next(outcome for outcome in outcomes if outcome.label == "Happy")
    right = 3 + happy.is_right
    assert (measured["pictures"], measured["found"], measured["right"]) == (6, 5, right)
    assert measured["classes"]["Angry"]["faces"] == 2
    assert sum(counts["voted"] for counts in measured["classes"].values()) == 5
    assert sum(measured["bins"]["faces"]) == 5
    natural = (0.5 * 1 + 0.1 * happy.is_right + 0.4 * 2 / 3) / 1
    assert measured["natural"]["right"] == pytest.approx(natural, abs=1e-5)


def test_the_command_tells_it_and_counts_what_cannot_be_read(
    pictures: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "sad" / "broken.png").write_bytes(b"no picture")
    assert cli.main(["evaluate", "--pictures", str(pictures), "--models", str(models)]) == 1
    told, bars = capsys.readouterr()
    assert bars == ""
    assert told.startswith("Models: models (Angry, Happy, Sad).\n")
    assert "right of the found" in told
    assert "Not counted, since they cannot be read: 1." in told


def test_expressions_that_the_models_do_not_know_are_told(
    pictures: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "contempt").mkdir()
    assert cli.main(["evaluate", "--pictures", str(pictures), "--models", str(models)]) == 1
    assert "but not: Contempt." in capsys.readouterr().err


def test_folders_of_emotions_that_are_empty_are_told_with_what_lies_beside_them(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of no pictures, nothing can be said; somebody has to learn that his lie a folder too high."""
    (tmp_path / "set" / "mine" / "happy").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "set" / "mine" / "a.png"), np.zeros((48, 48), np.uint8))
    assert cli.main(["evaluate", "--pictures", str(tmp_path / "set"), "--models", str(models)]) == 1
    assert capsys.readouterr().err == (
        f"The folders of emotions in {tmp_path}/set hold no pictures: put some into them. 1 file passed over: 1 at "
        "another depth.\n"
    )


@pytest.fixture
def marked(tmp_path: Path) -> tuple[Path, Path]:
    """A picture of somebody, one of nobody, and where people have seen faces."""
    folder = tmp_path / "crowd"
    folder.mkdir()
    cv2.imwrite(str(folder / "she.png"), PORTRAIT)
    cv2.imwrite(str(folder / "empty.png"), np.full((300, 300, 3), 90, np.uint8))
    rows = ["she.png,170,60,100,130,0", "she.png,300,300,80,80,0", "she.png,5,5,90,90,1", "she.png,400,9,20,20,0"]
    (tmp_path / "boxes.csv").write_text("\n".join(["file,x,y,w,h,invalid", *rows, "empty.png,1,1,70,70,0"]))
    return folder, tmp_path / "boxes.csv"


@pytest.mark.parametrize("detector", ["yunet", "haar"])
def test_faces_found_missed_and_seen_where_none_are_are_counted(marked: tuple[Path, Path], detector: str) -> None:
    """Small and invalid ones do not count; a box where nobody was marked does."""
    counts = measure_boxes(*marked, detector=detector, progress=False)
    assert (counts.pictures, counts.faces, counts.found, counts.doubles) == (2, 3, 1, 0)
    rows = marked[1].read_text().replace("she.png,170,60,100,130,0\n", "")
    marked[1].write_text(rows)
    without = measure_boxes(*marked, detector=detector, progress=False)
    assert (without.faces, without.found) == (2, 0)
    assert without.false == counts.false + 1


def test_the_command_tells_it(marked: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folder, boxes = marked
    (folder / "empty.png").write_bytes(b"no picture")
    assert cli.main(["evaluate", "--pictures", str(folder), "--boxes", str(boxes)]) == 1
    told = capsys.readouterr().out
    assert "1 pictures with 2 faces of 40 pixels and more: 1 found (50.0%), 1 missed" in told
    assert "Not counted, since they cannot be read: 1." in told


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("file,x,y\na.png,1,2\n", "is not a table of boxes: it lacks the columns w, h. It has file, x, y."),
        ("file,x,y,w,h\na.png,1,2,three,4\n", "has a row near line 2 that is no box of four numbers."),
        ("file,x,y,w,h\na.png,1,2\n", "has a row near line 2 that is no box of four numbers."),
        ("file,x,y,w,h\n", "has no boxes."),
        ("file,x,y,w,h\nnowhere.png,1,2,50,50\n", "can be read below"),
        ("file;x;y;w;h\nnowhere.png;1;2;50,5;50\n", "has a row near line 2 that is no box of four numbers."),
        ("PAR1", "is a Parquet table, not a table of boxes: save it as CSV and give that."),
        ("", "is not a table of boxes: the file is empty."),
        (None, "boxes.csv; --boxes takes a CSV with file, x, y, w, h (pixels)."),
    ],
)
@pytest.mark.hostile("what is wrong with the table, in one sentence")
def test_a_table_that_marks_no_faces_is_named(
    marked: tuple[Path, Path], table: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, boxes = marked
    boxes.unlink()
    if table is not None:
        boxes.write_text(table)
    assert cli.main(["evaluate", "--pictures", str(folder), "--boxes", str(boxes)]) == 1
    assert told in capsys.readouterr().err


def test_boxes_without_pictures_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--data", "data.csv", "--boxes", "boxes.csv"]) == 1
    assert "name their folder with --pictures" in capsys.readouterr().err


def test_faces_that_cannot_be_judged_are_counted_by_cause(models: Path, tmp_path: Path) -> None:
    """White squares are bright enough, and have no edges."""
    for number in range(2):
        (tmp_path / "set" / "sad").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "set" / "sad" / f"{number}.png"), np.full((48, 48), 255, np.uint8))
    outcomes, _, _ = measure_pictures(tmp_path / "set", load_models(models), progress=False)
    assert "2 are on faces not fit to be judged: 2 blurred." in outcome_lines(outcomes)


def grey_faces(levels: list[int], labels: list[str]) -> Faces:
    """Faces of which no two are alike; the models here see no more than how bright they are."""
    random = np.random.default_rng(0)
    X = np.array(levels)[:, None] + random.integers(-8, 9, (len(levels), 2304))
    return Faces(np.clip(X, 0, 255).astype(np.uint8), np.array(labels))


def evaluated(faces: Faces, models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    table = write_table(tmp_path / "faces.csv", faces)
    assert cli.main(["evaluate", "--data", str(table), "--models", str(models)]) == 0
    return capsys.readouterr().out.splitlines()


def test_few_faces_of_a_table_are_told_by_their_count(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside what always saying the commonest would reach: 5 of 8 is no good work where that is 4 of 8."""
    faces = grey_faces([0, 0, 128, 255, 255, 128, 128, 128], ["Angry"] * 3 + ["Sad"] * 4 + ["Happy"])
    lines = evaluated(faces, models, tmp_path, capsys)
    [baseline] = [line for line in lines if line.startswith("all Sad")]
    assert baseline.split() == ["all", "Sad", "4", "of", "8", "–", "8"]
    [vote] = [line for line in lines if line.startswith("vote")]
    assert vote.split() == ["vote", "5", "of", "8", "–", "8"]
    [sad] = [line for line in lines if line.startswith("Sad")]
    assert sad.split() == ["Sad", "4", "2", "of", "4", "2", "of", "2"]
    assert "8 faces are too few to say how far the votes' probabilities hold." in lines
    assert not [line for line in lines if "%" in line]


def test_faces_of_one_expression_are_no_measure_of_the_others(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Models that call everything Sad would be right on each."""
    lines = evaluated(grey_faces([255] * 250, ["Sad"] * 250), models, tmp_path, capsys)
    assert "All faces are Sad, one of 3 expressions that the models know: this says nothing of the others." in lines
    [vote] = [line for line in lines if line.startswith("vote ")]
    assert vote.split() == ["vote", "100.0%", "(98.5", "to", "100.0)", "–", "250"]
