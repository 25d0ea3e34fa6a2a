"""Sessions in a real browser: marked, saved, opened again, reported, compared, and kept when the part is left."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from emotion import config, load_models
from emotion.streams.record import LONGEST_SECONDS
from emotion.streams.report import program_version
from tests.browser.live import (
    SCHEMES,
    SWAYING,
    component,
    downloaded,
    see,
    see_none,
    show_in,
    start,
    vote_number,
    wait_until,
    wait_until_drawn,
)
from tests.browser.test_accessible import faults

FILES = ("Session as CSV", "Save", "Report")


def rows_of(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def wait_for_vote(page: Page, mark: str = "") -> None:
    """Wait until a face has a vote that is in the table, after this mark."""

    def is_there() -> bool:
        rows = rows_of(downloaded(page, "Session as CSV"))
        return bool(rows and rows[-1]["face"] and rows[-1]["mark"] == mark)

    wait_until(page, is_there, f"no vote after the mark {mark!r}")


def mark(page: Page, text: str, *, by_key: bool = False) -> None:
    wait_until_drawn(page)
    field = page.get_by_label("Mark this moment").first
    field.fill(text)
    if by_key:
        field.press("Enter")
    else:
        press(page, "Set mark")
    see(page.locator(".course .mark").get_by_text(text, exact=True))


def press(page: Page, name: str) -> None:
    """Press a button: the upper one, while a drawing of the page replaces another."""
    wait_until_drawn(page)
    page.get_by_role("button", name=name, exact=True).first.click()


def stop(page: Page) -> None:
    component(page).get_by_role("button", name="Stop").click()
    see(component(page).get_by_role("button", name="Start"))
    see_none(page.get_by_role("button", name="Set mark"))


def opened_list(page: Page) -> None:
    page.get_by_text("Earlier and saved sessions").click()
    see(page.get_by_text(re.compile(r"^Session \d\d:\d\d:\d\d: ")).first)


def shares_in(rows: Sequence[dict[str, str]], pauses: Sequence[tuple[float, float]]) -> dict[str, float]:
    """For which share of the time each label was shown, from the table alone: as a spreadsheet would sum it up."""
    lasted: dict[str, float] = {}
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        begin = float(row["seconds"])
        end = float(after["seconds"]) if after else begin + float(row["interval_seconds"])
        end = min([end, begin + LONGEST_SECONDS, *(start for start, _ in pauses if start > begin)])
        if row["face"]:
            lasted[row["smoothed_label"]] = lasted.get(row["smoothed_label"], 0.0) + end - begin
    return {label: seconds / sum(lasted.values()) for label, seconds in lasted.items()}


def open_offline(page: Page, file: Path) -> Page:
    """Open a document in a browser without network, which may ask for nothing and has nothing to complain of."""
    assert file.stat().st_size < 2_000_000
    browser = page.context.browser
    assert browser is not None
    document = browser.new_context(offline=True).new_page()
    asked: list[str] = []
    said: list[str] = []
    document.on("request", lambda request: asked.append(request.url))
    document.on("console", lambda message: said.append(message.text))
    document.on("pageerror", lambda error: said.append(str(error)))
    document.goto(file.as_uri(), wait_until="networkidle")
    assert faults(document) == []
    assert asked == [file.as_uri()]
    assert said == []
    return document


def test_a_session_with_three_marks_and_a_pause_has_the_same_numbers_everywhere(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    """In its table and its report, and in those of the file that was saved and opened again."""
    page = open_page(camera=SWAYING)
    start(page)
    wait_for_vote(page)
    mark(page, "question 1")
    wait_for_vote(page, "question 1")
    press(page, "Pause")
    see(page.get_by_role("button", name="Go on after the pause"))
    mark(page, "question 2", by_key=True)
    press(page, "Go on after the pause")
    see(page.get_by_role("button", name="Pause", exact=True))
    wait_for_vote(page, "question 2")
    mark(page, "question 3", by_key=True)
    wait_for_vote(page, "question 3")
    stop(page)

    table, saved, report = (downloaded(page, name) for name in FILES)
    file = tmp_path / "session.zip"
    file.write_bytes(saved)
    opened_list(page)
    page.get_by_test_id("stFileUploader").locator("input").set_input_files(file)
    see(page.get_by_text(re.compile(r"^session\.zip: .*, 3 marks, by shipped\.$")))
    for place in (1, 2):  # kept, and opened again
        assert [downloaded(page, name, place) for name in ("Session as CSV", "Report")] == [table, report]
    with zipfile.ZipFile(io.BytesIO(saved)) as archive:
        about = json.loads(archive.read("session.json"))
        marked = rows_of(archive.read("marks.csv"))
        votes = rows_of(archive.read("votes.csv"))
    assert about["fingerprint"] == load_models(config.MODELS).origin[1]
    assert about["software"] == program_version()
    assert (about["interval_seconds"], about["smoothing_seconds"], about["smoothed"]) == (
        config.VOTE_INTERVAL_SECONDS,
        config.LIVE_SMOOTHING_SECONDS,
        True,
    )

    rows = rows_of(table)
    pauses = [(float(row["seconds"]), float(row["end"])) for row in marked if row["kind"] == "pause"]
    assert len(pauses) == 1
    assert not any(begin <= float(row["seconds"]) < end for row in rows for begin, end in pauses)
    names = [f"question {number}" for number in (1, 2, 3)]
    assert [row["text"] for row in marked if row["kind"] == "mark"] == names
    assert list(dict.fromkeys(row["mark"] for row in rows)) == ["", *names]
    same = ("face", "label", *config.MODEL_NAMES, "smoothed_label")
    assert [[row[name] for name in same] for row in rows] == [[row[name] for name in same] for row in votes]

    (tmp_path / "report.html").write_bytes(report)
    document = open_offline(page, tmp_path / "report.html")
    text = document.locator("body").inner_text()
    moments = len({row["seconds"] for row in rows})
    assert f"looked at {moments} times" in text
    assert "Left out as pauses: " in text
    assert document.get_by_role("region", name="All marks").locator("bdi").all_inner_texts() == names
    if len({row["face"] for row in rows if row["face"]}) == 1:  # a first box may be another face's
        told = shares_in(rows, pauses)
        first = document.locator(".course").first
        for label in about["classes"]:
            cell = first.get_by_role("row").filter(has=document.get_by_role("rowheader", name=label, exact=True))
            share = float(cell.locator(".share").inner_text().partition("%")[0])
            assert share == pytest.approx(100 * told.get(label, 0.0), abs=0.11)

    for scheme in SCHEMES:
        show_in(page, scheme)
        wait_until_drawn(page)
        assert faults(page) == []
    (tmp_path / "comparison.html").write_bytes(downloaded(page, "Comparison"))
    expect(open_offline(page, tmp_path / "comparison.html").get_by_role("table").first).to_be_visible()


def test_a_session_is_kept_when_its_part_is_left_and_when_another_one_begins(open_page: Callable[..., Page]) -> None:
    page = open_page(camera=SWAYING)
    start(page)
    wait_for_vote(page)
    page.get_by_role("link", name="Models").click()
    see(page.get_by_text("The model card: everything that was measured"))
    page.get_by_role("link", name="Webcam").click()
    see(page.get_by_text(re.compile("^This session began at .* Ended because you left this part. Press Start")))
    first = downloaded(page, "Session as CSV")
    assert rows_of(first)

    start(page)
    see(page.get_by_role("button", name="Set mark"))
    wait_until(page, lambda: downloaded(page, "Session as CSV") != first, "no vote in the session that has begun")
    opened_list(page)
    see(page.get_by_text(re.compile("Ended because you left this part.$")))
    assert downloaded(page, "Session as CSV", 1) == first


def test_a_file_is_there_for_a_browser_that_fetches_it_late(open_page: Callable[..., Page]) -> None:
    """A slow line fetches a file when the page has been drawn many times since it was made."""
    page = open_page(camera=SWAYING)
    start(page)
    wait_for_vote(page)
    wait_until_drawn(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Session as CSV", exact=True).click()
    asked_for = vote_number(page)
    wait_until(page, lambda: vote_number(page) > asked_for + 2, "no further votes")
    late = page.request.get(download.value.url)
    assert late.status == 200
    assert rows_of(late.body())
