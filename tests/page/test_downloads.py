"""Downloads: buttons that work though the page was drawn anew, files that wait for slow lines; for a while each."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from streamlit import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import DownloadButton

from emotion.page import downloads
from emotion.page.downloads import keep


def page_with_a_download() -> None:
    from emotion.page.downloads import offer_download

    offer_download("Save", lambda: "Zoë", "session.csv", "text/csv")


@pytest.fixture
def files() -> MediaFileManager:
    return MediaFileManager(MemoryMediaFileStorage("/media"))


@pytest.fixture
def served(files: MediaFileManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with these files runs."""
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(media_file_mgr=files))


@pytest.fixture
def kept_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_kept", type(downloads._kept)())
    monkeypatch.setattr(downloads, "_KEPT_SECONDS", 0.02)


@pytest.fixture
def offered(files: MediaFileManager, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a browser has of a button that was drawn when it kept for as long as is usual."""
    monkeypatch.setattr("streamlit.testing.v1.app_test.MediaFileManager", lambda _: files)
    page = AppTest.from_function(page_with_a_download).run()
    assert not page.exception
    [button] = page.get("download_button")
    assert isinstance(button, DownloadButton)
    return str(button.proto.deferred_file_id)


def asked_for(files: MediaFileManager, text: str) -> str:
    """Press a button as a browser does: give the address of its file."""
    placeholder = files.add_deferred(lambda: keep(text, "session.csv", "text/csv"), "text/csv", "1", "session.csv")
    return files.execute_deferred(placeholder)


def content(files: MediaFileManager, address: str) -> bytes | None:
    kept = files.read_file(address.rpartition("/")[2])
    return kept.content if kept else None


def drawn_by_others(files: MediaFileManager) -> None:
    files.clear_session_refs("another visitor")
    files.remove_orphaned_files()


def soon(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_file_outlasts_the_drawings_that_end_before_it_is_fetched(served: None, files: MediaFileManager) -> None:
    addresses = [asked_for(files, text) for text in ("Zoë", "Ada", "Zoë")]
    for _ in range(5):
        drawn_by_others(files)
    assert [content(files, address) for address in addresses] == ["Zoë".encode(), b"Ada", "Zoë".encode()]


def test_no_file_stays_in_memory_once_its_time_is_over_though_nobody_comes(
    kept_for_a_moment: None, served: None, files: MediaFileManager
) -> None:
    addresses = [asked_for(files, text) for text in ("Zoë", "Ada")]
    soon(lambda: not any(content(files, address) for address in addresses))


def drawn_anew(files: MediaFileManager) -> None:
    """The visitor's next drawing has begun, and another visitor's ends."""
    files.clear_session_refs("test session id")
    drawn_by_others(files)


def test_a_press_on_a_button_that_was_just_drawn_anew_gives_the_file(
    offered: str, served: None, files: MediaFileManager
) -> None:
    """The browser does not know yet; nothing would be told, and a traceback would be in the server's log."""
    for _ in range(3):
        drawn_anew(files)
    assert content(files, files.execute_deferred(offered)) == "Zoë".encode()


def test_a_button_is_forgotten_with_what_it_would_give_once_its_time_is_over(
    kept_for_a_moment: None, offered: str, files: MediaFileManager
) -> None:
    """A visitor's pictures would stay in memory."""
    files.clear_session_refs("test session id")
    soon(lambda: offered not in files._deferred_callables)


def test_whoever_runs_the_server_reads_nothing_of_a_download(served: None, caplog: pytest.LogCaptureFixture) -> None:
    keep("Zoë", "session.csv", "text/csv")
    assert not caplog.records
