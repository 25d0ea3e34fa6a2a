"""Folders of files on this machine, or behind an address that fsspec knows, such as ``s3://bucket/faces``."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import fsspec

from emotion import config
from emotion.errors import ImageError, StorageError
from emotion.files import replacing

_CHANGES = ("mtime", "LastModified", "ETag", "etag", "md5Hash", "md5", "crc")
"""What file systems tell of a file that changes with its content."""


class StoredFile(NamedTuple):
    """A file as a folder lists it.

    Attributes
    ----------
    name : str, without folder
    stamp : int, another one once the file has changed
    """

    name: str
    stamp: int


def is_address(path: Path | str) -> bool:
    """Tell an address (``s3://bucket/faces``) from a path of this machine."""
    return "://" in str(path)


def folder_and_name(path: Path | str) -> tuple["Folder", str]:
    """Split the path or the address of a file into its folder and its name."""
    parent, _, name = (str(path) if is_address(path) else Path(path).absolute().as_posix()).rpartition("/")
    return Folder(parent or "/"), name


class Folder:
    """A folder whose files are read and written. May be sent to another process, or to another machine.

    Parameters
    ----------
    path : path, or an address that fsspec knows; nothing is looked up yet

    Raises
    ------
    StorageError
        If fsspec does not know such addresses, or lacks the library for them.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path
        self._local = None if is_address(path) else Path(path).absolute()
        self._system: Any = None
        self._root = ""
        if self._local is None:
            try:
                self._system, self._root = fsspec.core.url_to_fs(str(path))
            except (ImportError, ValueError) as error:
                raise StorageError(f"{path} cannot be opened: {error}.") from error
            self._root = self._root.rstrip("/")

    def __str__(self) -> str:
        return str(self.path)

    def _at(self, name: str) -> str:
        return "/".join(filter(None, (self._root, name)))

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
            return self._local.is_dir()
        with _faults_told(self):
            return bool(self._system.isdir(self._root))

    def entries(self, below: str = "", *, follow_links: bool = True) -> tuple[list[str], list[StoredFile]]:
        """List what is in the folder, hidden entries left out, both lists in sorted order.

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
        with _faults_told(self, below):
            if self._local is not None:
                found = _local_entries(self._local / below, follow_links)
            else:
                own = self._at(below).rstrip("/")
                found = (
                    (StoredFile(name.rpartition("/")[2], _stamp(entry)), entry["type"] == "directory")
                    for entry in self._system.ls(own, detail=True, refresh=True)
                    if (name := entry["name"].rstrip("/")) != own  # object stores may list a folder in itself
                )
            folders: list[str] = []
            files: list[StoredFile] = []
            for file, is_folder in found:
                if file.name.startswith("."):
                    continue
                if is_folder:
                    folders.append(file.name)
                else:
                    files.append(file)
        folders.sort()
        files.sort()
        return folders, files

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
        ImageError
            If this file cannot be read, or is larger than 200 MB.
        StorageError
            If the folder itself is gone, or the storage does not answer.
        """
        most = config.MAX_IMAGE_FILE_BYTES
        try:
            if self._local is not None:
                with (self._local / name).open("rb") as file:
                    content = file.read(most + 1)
            else:
                with _faults_told(self, name, but=(FileNotFoundError, PermissionError)):
                    content = self._system.cat_file(self._at(name), 0, most + 1)
        except OSError as error:
            if not self.exists():
                raise StorageError(
                    f"The folder {self} is not there; where others do the work, they must find it under this very name."
                ) from error
            raise ImageError(f"The file cannot be read: {error.strerror or error}.") from error
        if len(content) > most:
            raise ImageError(f"The file is larger than {most // 1_000_000} MB.")
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
        with _faults_told(self, name, but=(FileNotFoundError, PermissionError)):
            file: BinaryIO = self._system.open(self._at(name), "rb")
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
        with _faults_told(self, name, verb="written"):
            if self._local is None:
                self._system.pipe_file(self._at(name), content)
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
        with _faults_told(self, name, verb="removed"):
            if self._local is None:
                self._system.rm_file(self._at(name))
            else:
                (self._local / name).unlink()


class _faults_told:  # noqa: N801  # a context manager, used like a function
    """Turn what file systems raise, which has no common base, into one sentence."""

    def __init__(
        self, folder: Folder, name: str = "", *, verb: str = "read", but: tuple[type[Exception], ...] = ()
    ) -> None:
        self.place = folder.place(name)
        self.verb, self.but = verb, but

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, (StorageError, *self.but)):
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise StorageError(f"{self.place} cannot be {self.verb}: {reason}.") from error


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
