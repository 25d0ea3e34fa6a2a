"""Folders of files on this machine, or behind an address that fsspec knows, such as ``s3://bucket/faces``."""

import contextlib
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import fsspec

from emotion import config
from emotion.errors import EmotionError, ImageError, StorageError
from emotion.faces.files.kinds import check_picture
from emotion.faces.files.texts import FIRST_BYTES
from emotion.faces.files.walks import is_litter
from emotion.runtime.files import replacing

_CHANGES = (
    *("mtime", "LastModified", "last_modified", "updated", "created", "modify", "last_write_time", "modificationTime"),
    *("date_time", "ETag", "etag", "md5Hash", "md5", "CRC", "crc", "sha"),
)
"""What one file system or the other tells of a file that changes with its content."""

_OF_THE_FILE = (FileNotFoundError, PermissionError)
"""What is the matter with one file; anything else is the storage's."""


class StoredFile(NamedTuple):
    """A file as a folder lists it.

    Attributes
    ----------
    name : str, without folder
    stamp : int, another one once the file has changed
    """

    name: str
    stamp: int


UNREAD: Final = "The file cannot be read"
"""How the reason begins where a file was not got, whatever it may hold."""


def is_address(path: Path | str) -> bool:
    """Tell an address (``s3://bucket/faces``) from a path of this machine."""
    return "://" in str(path)


def folder_and_name(path: Path | str) -> tuple["Folder", str]:
    """Split the path or the address of a file into its folder and its name.

    Raises
    ------
    StorageError
        As `Folder`.
    """
    if not is_address(path):
        return Folder(Path(path).absolute().parent), Path(path).name
    # Of addresses that are chained (zip://faces.csv::file:///faces.zip), the first is the file's.
    first, chain, rest = str(path).partition("::")
    parent, _, name = first.rpartition("/")
    return Folder(f"{parent}/{chain}{rest}"), name


class Folder:
    """A folder whose files are read and written. May be sent to another process, or to another machine.

    Parameters
    ----------
    path : path, or an address that fsspec knows

    Raises
    ------
    StorageError
        If fsspec does not know such addresses, lacks the library for them, or what holds the files cannot be opened.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        here = str(path).removeprefix("file://")
        self._local = None if is_address(here) else Path(here).absolute()
        self._of_thread = threading.local()
        self._was_sent = False
        if self._local is None:
            self._opened()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_local": self._local}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state | {"_of_thread": threading.local(), "_was_sent": True}

    def _opened(self) -> tuple[Any, str]:
        """Give the file system and the folder in it: one for each thread, since not all kinds may be shared."""
        if not hasattr(self._of_thread, "opened"):
            try:
                system, root = fsspec.core.url_to_fs(str(self.path))
            except Exception as error:  # file systems' errors share no base
                raise StorageError(f"{self.path} cannot be opened: {error}.") from error
            self._of_thread.opened = system, root.rstrip("/")
        opened: tuple[Any, str] = self._of_thread.opened
        return opened

    def __str__(self) -> str:
        return str(self.path)

    @property
    def is_here(self) -> bool:
        """Whether it is a path of this machine."""
        return self._local is not None

    @contextlib.contextmanager
    def faults_told(
        self, name: str = "", *, verb: str = "read", but: tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """Turn what file systems raise, which has no common base, into one sentence about a file.

        Parameters
        ----------
        name : str, below the folder
        verb : str, what is done to it
        but : tuple of exceptions that pass as they are, as those of this program do

        Raises
        ------
        StorageError
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, (EmotionError, *but)):
                raise
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise StorageError(f"{self.place(name)} cannot be {verb}: {reason}.") from error

    def _at(self, name: str) -> tuple[Any, str]:
        system, root = self._opened()
        if not root:
            return system, f"{system.root_marker}{name}"
        return system, f"{root}/{name}" if name else root

    def place(self, name: str) -> str:
        """Write where a file is, for people to read."""
        return f"{str(self.path).rstrip('/')}/{name}" if name else str(self.path)

    def exists(self) -> bool:
        """Tell whether there is such a folder.

        Raises
        ------
        StorageError
            If the storage cannot be asked.
        """
        if self._local is not None:
            return os.path.isdir(self._local)  # noqa: PTH112  # Path's raises where a folder on the way is closed
        with self.faults_told():
            system, root = self._opened()
            return bool(system.isdir(root or system.root_marker))

    def entries(self, below: str = "", *, follow_links: bool = True) -> tuple[list[str], list[StoredFile]]:
        """List what is in the folder, hidden entries and litter of operating systems left out, both lists sorted.

        Parameters
        ----------
        below : str, a folder within this one, with forward slashes
        follow_links : bool
            Whether a link to a folder is one. Links that lead nowhere, or round in a circle, are left out.

        Returns
        -------
        (list of str, list of StoredFile), names of folders, and files

        Raises
        ------
        StorageError
            If the folder cannot be listed.
        """
        with self.faults_told(below):
            if self._local is not None:
                found = _local_entries(self._local / below, follow_links)
            else:
                system, own = self._at(below)
                system.invalidate_cache(own)
                found = (
                    (StoredFile(name.rpartition("/")[2], _stamp(entry)), entry["type"] == "directory")
                    for entry in system.ls(own, detail=True)
                    if (name := entry["name"].rstrip("/")) != own  # object stores may list a folder in itself
                )
            folders: list[str] = []
            files: list[StoredFile] = []
            for file, is_folder in found:
                if is_litter(file.name):
                    continue
                if is_folder:
                    folders.append(file.name)
                else:
                    files.append(file)
        folders.sort()
        files.sort()
        return folders, files

    def links_to_folders(self, below: str = "") -> int:
        """Count the links to folders, which `entries` leaves out where it does not follow them.

        Parameters
        ----------
        below : str, a folder within this one, with forward slashes

        Returns
        -------
        int

        Raises
        ------
        StorageError
            If the folder cannot be listed.
        """
        if self._local is None:
            return 0
        with self.faults_told(below), os.scandir(self._local / below) as entries:
            return sum(entry.is_symlink() and os.path.isdir(entry) for entry in entries)  # noqa: PTH112

    def read(self, name: str) -> bytes:
        """Read a picture file.

        Parameters
        ----------
        name : str, below the folder, with forward slashes

        Returns
        -------
        bytes

        Raises
        ------
        NotAPictureError
            A child of `ImageError`, if its first bytes are those of something else; no more of it is read.
        ImageError
            If this file cannot be read, or is larger than 200 MB.
        StorageError
            If the folder itself is gone, or the storage does not answer.
        """
        most = config.MAX_IMAGE_FILE_BYTES
        try:
            with (
                self.faults_told(name, but=_OF_THE_FILE if self._local is None else (OSError,)),
                self.open(name) as file,
            ):
                content, read, looked_at = b"", b" ", False
                # Storage may give less than it was asked for, and has given all when it gives nothing.
                while read and len(content) <= most:
                    # First a little, then as much as is there: most pictures are small, and to make room for the
                    # largest takes longer than to read them.
                    read = file.read(min(max(FIRST_BYTES, len(content)), most + 1 - len(content)))
                    content += read
                    if not looked_at and (not read or len(content) >= FIRST_BYTES):
                        check_picture(content[:FIRST_BYTES])
                        looked_at = True
        except OSError as error:
            if not self.exists():
                others = "; where others do the work, they must find it under this very name" if self._was_sent else ""
                raise StorageError(f"The folder {self} is not there{others}.") from error
            raise ImageError(f"{UNREAD}: {error.strerror or error}.") from error
        if len(content) > most:
            raise ImageError(f"The file is larger than {most // 1_000_000} MB: save a smaller picture.")
        return content

    def open(self, name: str) -> BinaryIO:
        """Open a file to read from.

        Parameters
        ----------
        name : str, below the folder, with forward slashes

        Returns
        -------
        a binary file that can seek

        Raises
        ------
        OSError
            If there is no such file, or it must not be read.
        StorageError
            If the storage does not answer.
        """
        if self._local is not None:
            return (self._local / name).open("rb")
        with self.faults_told(name, but=_OF_THE_FILE):
            system, place = self._at(name)
            file: BinaryIO = system.open(place, "rb")
        return file

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all; the folder is made where it is missing.

        Parameters
        ----------
        name : str
        content : bytes

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        with self.faults_told(name, verb="written"):
            if self._local is None:
                system, place = self._at(name)
                system.pipe_file(place, content)
                return
            self._local.mkdir(parents=True, exist_ok=True)
            with replacing(self._local / name) as partial:
                partial.write_bytes(content)

    def remove(self, name: str) -> None:
        """Remove a file.

        Parameters
        ----------
        name : str

        Raises
        ------
        StorageError
            If it cannot be removed.
        """
        with self.faults_told(name, verb="removed"):
            if self._local is None:
                system, place = self._at(name)
                system.rm_file(place)
            else:
                (self._local / name).unlink()


def _local_entries(folder: Path, follow_links: bool) -> Iterator[tuple[StoredFile, bool]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                is_folder = entry.is_dir(follow_symlinks=follow_links)
                if not is_folder and not entry.is_file():
                    continue
                about = entry.stat()
            except OSError:  # a link that leads round in a circle
                continue
            yield StoredFile(entry.name, zlib.crc32(f"{about.st_size}:{about.st_mtime_ns}".encode())), is_folder


def _stamp(entry: dict[str, Any]) -> int:
    return zlib.crc32(":".join(str(entry[key]) for key in ("size", *_CHANGES) if key in entry).encode())
