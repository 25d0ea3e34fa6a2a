"""What a film's file says of itself: how long it is, and whether its index is there. Files are cut off often: by full
disks, copying that was broken off, and batteries that ran out.
"""

import io
import re
import struct
from typing import BinaryIO, Final

from emotion.faces.files.kinds import Kind

_UNKNOWN_SIZES: Final = (0, 0xFFFFFFFF)
_ASF_HEADER_BYTES: Final = 30
_ASF_FILE_PROPERTIES: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_BROADCAST: Final = 1
_MOST_INDEX_BYTES: Final = 100_000_000
_MOST_BYTES: Final = 2**62
_TS_PACKETS: Final = (188, 192)
_TS_MARK: Final = b"\x47"


class View:
    """A file with a place of its own in it, so that it can be read from two places by turns.

    PyAV keeps what is raised here, and raises it when FFmpeg next fails at anything: to a place that damaged films name
    and that cannot be, the answer is a number.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._end = size_of(file)

    def read(self, size: int) -> bytes:
        self._file.seek(self._at)
        content = self._file.read(size)
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place = offset + {io.SEEK_CUR: self._at, io.SEEK_END: self._end}.get(whence, 0)
        if not 0 <= place <= _MOST_BYTES:
            return -1
        self._at = place
        return place

    def tell(self) -> int:
        return self._at


def size_of(source: BinaryIO) -> int:
    """Give a file's length, in bytes."""
    return source.seek(0, io.SEEK_END)


def said_size(source: BinaryIO, kind: Kind) -> int:
    """Read how long a film's file is meant to be.

    Parameters
    ----------
    source : binary file that can seek
    kind : Kind, of the family "film"

    Returns
    -------
    int, bytes; 0 where the file does not say
    """
    judge = {"avi": _riff_size, "asf": _asf_size, "mpegts": _whole_packets}.get(kind.opens_as)
    return 0 if judge is None else judge(source)


def _read(source: BinaryIO, at: int, length: int) -> bytes:
    source.seek(at)
    return source.read(length)


def _riff_size(source: BinaryIO) -> int:
    """Add up the outermost chunks: a long film (OpenDML) has several."""
    end, at = size_of(source), 0
    while at < end:
        head = _read(source, at, 8)
        if len(head) < 8 or head[:4] != b"RIFF":
            break
        length = struct.unpack("<I", head[4:])[0]
        if length in _UNKNOWN_SIZES:
            return 0
        at += 8 + length
    return at


def _asf_size(source: BinaryIO) -> int:
    """Read the file properties object (Advanced Systems Format, 3.2)."""
    end, at = min(size_of(source), 1 << 20), _ASF_HEADER_BYTES
    while at < end:
        head = _read(source, at, 92)
        if len(head) < 92:
            break
        if head[:16] == _ASF_FILE_PROPERTIES:
            return 0 if head[88] & _ASF_BROADCAST else int(struct.unpack_from("<Q", head, 40)[0])
        at += max(24, struct.unpack_from("<Q", head, 16)[0])
    return 0


def _whole_packets(source: BinaryIO) -> int:
    """A stream has no end, but it ends with a whole packet."""
    start = _read(source, 0, _TS_PACKETS[-1] + 5)
    length = _TS_PACKETS[0] if start[188:189] == start[:1] == _TS_MARK else _TS_PACKETS[1]
    return -(-size_of(source) // length) * length


def lacks_index(source: BinaryIO) -> bool:
    """Tell whether the box `moov` of a film is missing or cut off (ISO/IEC 14496-12).

    Parameters
    ----------
    source : binary file that can seek; MP4 or MOV

    Returns
    -------
    bool; False where the file is damaged in another way
    """
    at, size = _index_of(source)
    return at + size > size_of(source)


def is_encrypted(source: BinaryIO) -> bool:
    """Tell whether a track of a film is encrypted (ISO/IEC 23001-7; Apple's is older).

    Parameters
    ----------
    source : binary file that can seek; MP4 or MOV

    Returns
    -------
    bool
    """
    return re.search(rb"stsd.{12}(encv|drmi)", _index(source), re.DOTALL) is not None


def refers_to_others(source: BinaryIO) -> bool:
    """Tell whether the pictures of a film lie in another file (ISO/IEC 14496-12, 8.7.2).

    Parameters
    ----------
    source : binary file that can seek; MP4 or MOV

    Returns
    -------
    bool
    """
    return re.search(rb"dref.{12}(alis|rsrc|url |urn ).{3}[^\x01]", _index(source), re.DOTALL) is not None


def _index(source: BinaryIO) -> bytes:
    at, size = _index_of(source)
    return _read(source, at, min(size, _MOST_INDEX_BYTES))


def _index_of(source: BinaryIO) -> tuple[int, int]:
    """Find the box `moov`: its place and size, which lie beyond the file's end where it is not there."""
    end, at = size_of(source), 0
    while at < end:
        head = _read(source, at, 16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size == 0:  # it goes to the end
            size = end - at
        if head[4:8] == b"moov" or size < 8 <= len(head):
            return at, size
        at += max(size, 8)
    return end, 1
