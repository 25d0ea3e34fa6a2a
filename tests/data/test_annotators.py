"""Ten people's votes: a wrong reading would teach the networks, and judge the models, by other people's faces."""

from pathlib import Path

import numpy as np
import pytest

from emotion.data.annotators import VOTED_LABELS, majority_labels, opinions_on, read_votes, vote_shares
from emotion.data.dataset import Faces
from emotion.errors import DatasetError
from tests.synthetic import VOTES_COLUMNS, write_votes

CLASSES = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")


def votes_of(**counts: int) -> np.ndarray:
    return np.array([[counts.get(label.lower(), 0) for label in VOTED_LABELS.values()]])


def test_votes_are_found_by_file_name(tmp_path: Path) -> None:
    nobody = dict.fromkeys(VOTES_COLUMNS, 0)
    table = write_votes(
        tmp_path / "votes.csv", [{"file": "a.png", **nobody, "fear": 7, "surprise": 3}, {"file": "b.png", **nobody}]
    )
    votes = read_votes(table, ["happy/b.png", "fear/a.png", "c.png"])
    assert votes.sum(axis=1).tolist() == [0, 10, 0]
    assert dict(zip(VOTED_LABELS.values(), votes[1].tolist(), strict=True))["Fear"] == 7


def test_the_table_as_its_authors_publish_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "fer2013new.csv").write_text(
        f"Usage,Image name,{','.join(VOTES_COLUMNS)},unknown,NF\n"
        f"Training,,{'0,' * 8}0,10\n"  # a picture that shows no face has no name
        f"Training,a.png,{'0,' * 7}9,1,0\n",
        encoding="utf-8",
    )
    assert read_votes(tmp_path / "fer2013new.csv", ["sad/a.png"]).tolist() == [[0, 0, 0, 0, 0, 0, 0, 9]]


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    """With a mark at its beginning that says how letters are written."""
    table = write_votes(tmp_path / "votes.csv", [{"file": "a.png", **dict.fromkeys(VOTES_COLUMNS, 1)}])
    table.write_text(table.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read_votes(table, ["sad/a.png"]).tolist() == [[1] * 8]


def test_votes_on_other_pictures_are_not_taken_for_no_votes(tmp_path: Path) -> None:
    table = write_votes(tmp_path / "votes.csv", [{"file": "fer0000000.png", **dict.fromkeys(VOTES_COLUMNS, 1)}])
    with pytest.raises(DatasetError, match=r"no votes on these faces: it names files like fer0000000\.png, and not "):
        read_votes(table, ["happy/Training_1.jpg"])


# votes | what most people saw
@pytest.mark.parametrize(
    ("counts", "label"),
    [
        ({"happy": 10}, "Happy"),
        ({"sad": 5, "neutral": 4}, "Sad"),
        ({"sad": 5, "neutral": 5}, ""),  # nobody leads
        ({"sad": 4, "neutral": 3, "fear": 3}, ""),  # no five agree
        ({"contempt": 8, "neutral": 2}, ""),  # not one of the classes
        ({}, ""),
    ],
)
def test_a_majority_is_five_of_ten(counts: dict[str, int], label: str) -> None:
    assert majority_labels(votes_of(**counts), CLASSES).tolist() == [label]


def test_single_votes_are_left_out() -> None:
    assert vote_shares(votes_of(happy=6, sad=2, fear=1)).tolist()[0] == pytest.approx([0, 0.75, 0, 0.25, 0, 0, 0, 0])
    assert not vote_shares(votes_of(happy=1, sad=1)).any()


def test_votes_that_no_five_people_share_are_no_truth_to_judge_by(tmp_path: Path) -> None:
    """Models would be measured on nothing at all."""
    votes = {**dict.fromkeys(VOTES_COLUMNS, 1), "contempt": 9}
    table = write_votes(tmp_path / "votes.csv", [{"file": name, **votes} for name in ("a.png", "b.png")])
    faces = Faces(np.zeros((2, 2304), np.uint8), np.array(["Happy", "Sad"]), np.array(["happy/a.png", "sad/b.png"]))
    told = r"what these faces show: on none of the 2, 5 people or more agreed on one of Happy, Sad\.$"
    with pytest.raises(DatasetError, match=told):
        opinions_on(faces, table)


HEAD = f"file,{','.join(VOTES_COLUMNS)}\n"


@pytest.mark.parametrize(
    "content",
    [
        "file,neutral\na.png,1\n",
        f"{HEAD}a.png,x,1\n",
        f"{HEAD}a.png{f',{10**20}' * 8}\n",
        f"{HEAD}{'a' * 200_000}{',1' * 8}\n",
    ],
    ids=["columns", "letters", "numbers", "names"],
)
def test_another_table_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "votes.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match="is not a table of votes"):
        read_votes(tmp_path / "votes.csv", ["a.png"])


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"There is no file .*votes\.csv; FER\+'s own is fer2013new\.csv of https://github"
    ):
        read_votes(tmp_path / "votes.csv", ["a.png"])
