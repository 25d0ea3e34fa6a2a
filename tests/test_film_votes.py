"""Films on the command line: votes are those of pictures, nothing is lost when a run is broken off, numbers stay."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from emotion import Recognizer, cli, config
from emotion.bulk import film as film_run
from emotion.bulk.film import recognize_film
from emotion.errors import FilmError, OutputError
from emotion.faces.decode import decode_image
from emotion.faces.fetch import LOOPBACK_SWITCH
from emotion.faces.pixels import BGRImage
from emotion.streams.films.reading.opening import open_film
from emotion.streams.films.watching import Choice, FilmWatch, Look
from emotion.vote.ensemble import Ensemble
from emotion.vote.loading import load_models
from tests.films import animation, film
from tests.loopback import http_answer, serving
from tests.tiny_models import write_tiny_models

ASTRONAUT = np.ascontiguousarray(data.astronaut()[:256, 100:356, ::-1])
GRACE, EILEEN = (
    np.asarray(cv2.resize(decode_image((config.EXAMPLES / f"{name}.jpg").read_bytes()), (256, 320)), dtype=np.uint8)
    for name in ("Grace-Hopper", "Eileen-Collins")
)
KINDS = ["votes.csv", "votes.jsonl"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    return load_models(write_tiny_models(tmp_path_factory.mktemp("films") / "models"))


def scene(*people: BGRImage | None, width: int = 640, height: int = 360) -> BGRImage:
    """People side by side on grey; None leaves a place empty."""
    picture = np.full((height, width, 3), 110, np.uint8)
    for place, person in enumerate(people):
        if person is not None:
            left = width * (2 * place + 1) // (2 * len(people)) - person.shape[1] // 2
            picture[20 : 20 + person.shape[0], left : left + person.shape[1]] = person
    return picture


def held(*scenes: tuple[BGRImage, int]) -> Iterator[BGRImage]:
    for picture, frames in scenes:
        for _ in range(frames):
            yield picture


def looks(content: bytes, models: Ensemble, **choice: Any) -> list[Look]:
    with open_film(content) as opened:
        return list(FilmWatch(models, Choice(**choice)).looks(opened))


def numbers(content: bytes, models: Ensemble) -> list[list[int]]:
    """The numbers of the faces at each moment, from left to right."""
    return [
        [face.number for face in sorted(look.moment.faces, key=lambda face: face.box.x)]
        for look in looks(content, models)
        if look.moment
    ]


@pytest.mark.parametrize("kind", ["steady", "variable rate", "turned", "ten bits", "animated GIF"])
def test_a_films_votes_are_those_of_the_single_pictures(kind: str) -> None:
    """Faces that change every second, with the models that ship: who looks at one frame must see the same."""
    models = load_models()
    scenes = [scene(person) for person in (GRACE, EILEEN, np.ascontiguousarray(GRACE[:, ::-1]), ASTRONAUT)]
    expected = [[face.vote.label for face in Recognizer(models).recognize(picture)] for picture in scenes]
    pictures, stamps = [picture for picture in scenes for _ in range(10)], None
    if kind == "variable rate":
        stamps = [second + step / 10 + 0.03 * (step % 3) for second in range(len(scenes)) for step in range(10)]
    turned = [np.rot90(picture, -1) for picture in pictures] if kind == "turned" else pictures
    if kind == "animated GIF":
        content = animation([picture[::2, ::2] for picture in pictures[::5]], "GIF", 500)
        expected = [[f.vote.label for f in Recognizer(models).recognize(picture[::2, ::2])] for picture in scenes]
    elif kind == "ten bits":
        content = film(pictures, rate=10, form="matroska", pixels="yuv420p10le")
    else:
        content = film(turned, rate=10, stamps=stamps, turned=90 if kind == "turned" else 0)
    found = [look.moment for look in looks(content, models) if look.moment]
    assert len(found) >= (4 if kind == "animated GIF" else 15)  # Pillow joins frames that are alike
    right = [[face.vote.label for face in m.faces] == expected[min(int(m.seconds + 0.01), 3)] for m in found]
    assert np.mean(right) >= 0.98, [(m.seconds, [f.vote.label for f in m.faces]) for m in found]


def test_moments_are_a_fifth_of_a_second_apart_by_the_frames_own_stamps(models: Ensemble) -> None:
    stamps = np.cumsum([0.0, *np.random.default_rng(1).choice([0.02, 0.033, 0.05], 80)]).round(3).tolist()
    found = looks(film(held((scene(GRACE), len(stamps))), stamps=stamps), models)
    for number, look in enumerate(found):
        assert look.seconds == pytest.approx(stamps[look.frame], abs=0.002)
        assert 0.2 * number - 0.01 <= look.seconds <= 0.2 * number + 0.05


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"every": 0.5}, [0.0, 0.5, 1.0, 1.5]),
        ({"every": 1.0, "start": 0.5}, [0.5, 1.5]),
        ({"every": 0.2, "start": 0.9, "end": 1.3}, [0.9, 1.1, 1.3]),
        ({"every": 0.0, "end": 0.31}, [0.0, 0.1, 0.2, 0.3]),
        ({"every": 7.0}, [0.0]),
    ],
)
def test_moments_are_as_far_apart_as_is_asked_for(models: Ensemble, choice: Any, expected: list[float]) -> None:
    found = looks(film(held((scene(GRACE), 20)), rate=10), models, **choice)
    assert [look.moment.seconds for look in found if look.moment] == pytest.approx(expected)


def test_what_lies_outside_the_film_is_refused(models: Ensemble) -> None:
    with pytest.raises(FilmError, match="Nothing of the film is shown between the start and the end"):
        looks(film(held((scene(GRACE), 10)), rate=10), models, start=5.0)


def test_people_have_their_numbers_again_after_cuts_and_absences(models: Ensemble) -> None:
    """Else an interview that is cut between two people would have dozens of faces."""
    dark = np.full((360, 640, 3), 5, np.uint8)
    room = cv2.copyMakeBorder(EILEEN, 20, 20, 192, 192, cv2.BORDER_CONSTANT, value=(30, 160, 220))
    cut = film(held((scene(GRACE), 10), (room, 10), (scene(GRACE), 10), (dark, 25), (room, 10)), rate=10)
    assert [n for n in numbers(cut, models) if n] == [*[[1]] * 5, *[[2]] * 5, *[[1]] * 5, *[[2]] * 5]


def test_somebody_new_in_anothers_place_is_another(models: Ensemble) -> None:
    swap = film(held((scene(GRACE), 10), (scene(None), 25), (scene(EILEEN), 10)), rate=10)
    assert [n for n in numbers(swap, models) if n] == [*[[1]] * 5, *[[2]] * 5]


def test_two_people_keep_their_numbers_side_by_side(models: Ensemble) -> None:
    both = film(held((scene(GRACE, EILEEN), 10), (scene(None, EILEEN), 25), (scene(GRACE, EILEEN), 10)), rate=10)
    found = numbers(both, models)
    assert found[0] == found[-1]
    assert sorted(found[0]) == [1, 2]
    assert all(n == [found[0][1]] for n in found if len(n) == 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("broken_at", [1, 60])
def test_a_run_that_was_broken_off_ends_in_the_same_bytes(
    tmp_path: Path, models: Ensemble, kind: str, broken_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is gone on with so late that the film is sought through, and not decoded, up to there."""
    people = [scene(*two)[::2, ::2] for two in ((GRACE, EILEEN), (EILEEN, None), (None, GRACE))]
    path = tmp_path / "film.mp4"
    path.write_bytes(film((people[n // 7 % 3] for n in range(70)), rate=2, options={"g": "10"}))
    choice = Choice(every=1.0)
    recognize_film(str(path), tmp_path / f"whole-{kind}", models, choice, progress=False)
    whole = (tmp_path / f"whole-{kind}").read_bytes()
    monkeypatch.setattr(film_run, "_SECONDS_BETWEEN_NOTES", 0.0)
    every, seen = FilmWatch.looks, [0.0]

    def some(self: FilmWatch, *arguments: Any) -> Iterator[Look]:
        for number, look in enumerate(every(self, *arguments)):
            if number == broken_at:
                raise KeyboardInterrupt
            seen.append(look.seconds if look.moment else seen[-1])
            yield look

    monkeypatch.setattr(FilmWatch, "looks", some)
    out = tmp_path / kind
    with pytest.raises(KeyboardInterrupt):
        recognize_film(str(path), out, models, choice, progress=False)
    monkeypatch.setattr(FilmWatch, "looks", every)
    with out.open("ab") as file:
        file.write(b"half a li")  # what a kill leaves behind the last note
    summary = recognize_film(str(path), out, models, choice, progress=False)
    assert summary.done_before == seen[-1]
    assert out.read_bytes() == whole
    assert recognize_film(str(path), out, models, choice, progress=False).n_moments == 0


@pytest.mark.hostile("FILE is no file of votes on this film by these models: name another, or remove it")
def test_votes_on_another_film_are_not_mixed(tmp_path: Path, models: Ensemble) -> None:
    path, out = tmp_path / "film.mp4", tmp_path / "votes.csv"
    for person in (GRACE, EILEEN):
        path.write_bytes(film(held((scene(person), 3)), rate=10))
        if person is GRACE:
            recognize_film(str(path), out, models, progress=False)
    before = out.read_bytes()
    with pytest.raises(OutputError, match="no file of votes on this film by these models"):
        recognize_film(str(path), out, models, progress=False)
    assert out.read_bytes() == before


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(film(held((scene(GRACE), 6)), rate=10))
    (folder / "b.gif").write_bytes(animation([scene(EILEEN)[::2, ::2], scene(GRACE)[::2, ::2]], "GIF", 200))
    cv2.imwrite(str(folder / "c.png"), scene(EILEEN))
    (folder / "d.jpg").write_bytes(film(held((scene(None), 3)), rate=10))  # a film, whatever it is called
    (folder / "e.mov").write_bytes(b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ")
    (folder / "f.m3u8").write_text("#EXTM3U\n/etc/passwd\n")
    return folder


def test_a_folder_may_mix_pictures_and_films(mixed: Path, tmp_path: Path, models: Ensemble, capsys: Any) -> None:
    out = tmp_path / "votes.csv"
    arguments = ["predict", str(mixed), "--csv", str(out), "--models", str(models.origin[0])]
    assert cli.main(arguments) == 1
    told = capsys.readouterr().out
    assert "2 pictures looked at, 1 faces; 3 films, 7 moments" in told
    assert "1 file passed over: 1 .m3u8." in told
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    seen = [(row["picture"], row["seconds"], row["frame"], row["face"]) for row in rows]
    assert seen == [
        ("a.mp4", "0.000", "0", "1"),
        ("a.mp4", "0.200", "2", "1"),
        ("a.mp4", "0.400", "4", "1"),
        ("b.gif", "0.000", "0", "1"),
        ("b.gif", "0.200", "1", "1"),
        ("c.png", "", "", "1"),
        ("d.jpg", "0.000", "0", ""),
        ("d.jpg", "0.200", "2", ""),
        ("e.mov", "", "", ""),
    ]
    assert "index" in rows[-1]["error"]
    before = out.read_bytes()
    out.write_bytes(before[: len(before) // 3])
    assert cli.main(arguments) == 1
    assert out.read_bytes() == before


def test_json_has_a_line_a_face_and_moment(mixed: Path, models: Ensemble, capsys: Any) -> None:
    assert cli.main(["predict", str(mixed / "a.mp4"), "--json", "--models", str(models.origin[0])]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["seconds"], line["frame"], line["face"]) for line in lines] == [(0.0, 0, 1), (0.2, 2, 1), (0.4, 4, 1)]
    assert {"film", "box", "label", "ballots", "probabilities", "uncertain", "why", "smoothed_label"} <= set(lines[0])


def test_json_stays_json_beside_a_film_that_is_written_and_where_letters_are_lacking(
    mixed: Path, tmp_path: Path, models: Ensemble
) -> None:
    """A program that reads the lines must find nothing else among them, whatever the film is called."""
    (mixed / "a.mp4").rename(mixed / "für.mp4")
    out = tmp_path / "boxes.mp4"
    arguments = [
        "predict",
        str(mixed / "für.mp4"),
        "--json",
        "--annotated",
        str(out),
        "--models",
        str(models.origin[0]),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "emotion", *arguments],
        cwd=config.ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]
    assert [Path(line["film"]).name for line in lines] == ["für.mp4"] * 3
    assert out.is_file()


def test_a_film_is_told_in_words_and_written_with_its_boxes(
    mixed: Path, tmp_path: Path, models: Ensemble, capsys: Any
) -> None:
    out = tmp_path / "boxes.mp4"
    arguments = ["predict", str(mixed / "a.mp4"), "--annotated", str(out), "--models", str(models.origin[0])]
    assert cli.main(arguments) == 0
    told = capsys.readouterr().out
    assert "3 moments from 0.0 to 0.4 s" in told
    assert "face 1, " in told
    with open_film(out.read_bytes()) as written:
        frames = list(written.frames())
    assert len(frames) == 6
    assert np.abs(frames[3].picture().astype(int) - scene(GRACE)).max() > 100, "a box is drawn"


def test_a_film_behind_a_web_address_is_fetched_and_gone_on_with(
    mixed: Path, tmp_path: Path, models: Ensemble, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the guarded way of pictures, whatever the address is called; never by a library that asks anybody."""
    monkeypatch.setenv(LOOPBACK_SWITCH, "1")
    content = http_answer((mixed / "a.mp4").read_bytes())
    picture = http_answer((mixed / "c.png").read_bytes())
    with serving({"/a.mp4": content, "/watch?v=1": content, "/c.png": picture}) as server:
        for path in ("/a.mp4", "/watch?v=1"):
            assert cli.main(["predict", server.url(path), "--models", str(models.origin[0])]) == 0
            assert "3 moments from 0.0 to 0.4 s" in capsys.readouterr().out
        arguments = ["predict", server.url("/a.mp4"), "--csv", str(tmp_path / "v.csv")]
        for told in ("3 moments looked at.", "Nothing to do: all votes on"):
            assert cli.main([*arguments, "--models", str(models.origin[0])]) == 0
            assert told in capsys.readouterr().out
        arguments = ["predict", server.url("/c.png"), "--csv", str(tmp_path / "p.csv")]
        assert cli.main([*arguments, "--models", str(models.origin[0])]) == 1
    assert "name one folder, or one film." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.mp4", "--start", "2", "--end", "1"], "--end has to be later than --start."),
        (["a.mp4", "--annotated", "o.avi"], "--annotated writes a film that ends in .mp4, which o.avi does not."),
        (["a.mp4", "c.png", "--annotated", "o.mp4"], "With --annotated o.mp4, name one film."),
        (["c.png", "--annotated", "o.mp4"], "This is a picture, and --annotated is for films: leave it out."),
        (["a.mp4", "--csv", "v.csv", "--dask", "tcp://127.0.0.1:1"], "a film is one piece of work, for one worker"),
        ([".", "--csv", "v.csv", "--annotated", "o.mp4"], "With --annotated o.mp4, name one film."),
        (["a.mp4", "c.png", "--csv", "v.csv"], "With --csv v.csv, name one folder, or one film."),
        (["f.m3u8", "--csv", "v.csv"], "a playlist of a film"),
        (["a.mp4", "--csv", "nowhere/v.csv"], "nowhere/v.csv cannot be written: No such file or directory."),
        (["a.mp4", "--annotated", "nowhere/o.mp4"], "nowhere/o.mp4 cannot be written: No such file or directory."),
        (["e.mov"], "The film's index, which cameras write last, is missing"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(
    mixed: Path, models: Ensemble, arguments: list[str], told: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mixed)
    before = sorted(mixed.iterdir())
    assert cli.main(["predict", *arguments, "--models", str(models.origin[0])]) == 1
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert sorted(mixed.iterdir()) == before


def test_a_film_that_is_gone_is_told(tmp_path: Path, models: Ensemble) -> None:
    """It may go between being found and being looked at."""
    with pytest.raises(FilmError, match=r"gone\.mp4 cannot be read: No such file or directory\.$"):
        recognize_film(str(tmp_path / "gone.mp4"), tmp_path / "votes.csv", models, progress=False)


@pytest.mark.parametrize("option", [["--every", "0"], ["--every", "often"], ["--start", "1:2:3:4"], ["--end", "-1"]])
def test_times_that_are_none_are_refused(option: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit):
        cli.main(["predict", "a.mp4", *option])
    assert "time" in capsys.readouterr().err
