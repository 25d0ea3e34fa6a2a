"""What passes between the threads of a video: the newest picture, and now and then a report of a fault."""

import math
import threading
import time
from typing import Final

from emotion.faces.decode import BGRImage

_SECONDS_BETWEEN_REPORTS: Final = 60.0


class Mailbox:
    """Holds one picture and its time, the newest, until it is taken or the box is closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: tuple[BGRImage, float] | None = None
        self.closed = False

    def put(self, image_bgr: BGRImage, taken_at: float) -> None:
        """Lay a picture in, in place of the one that may lie there."""
        with self._changed:
            self._newest = image_bgr, taken_at
            self._changed.notify()

    def take(self, pause_seconds: float) -> tuple[BGRImage, float] | None:
        """Let the pause pass, then wait for a picture; None as soon as the box is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed, pause_seconds)
            self._changed.wait_for(lambda: self.closed or self._newest is not None)
            taken, self._newest = self._newest, None
            return None if self.closed else taken

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self.closed = True
            self._changed.notify()


class Seldom:
    """Says whether it is time for another report of a fault that may come thirty times a second."""

    def __init__(self) -> None:
        self._next_at = -math.inf

    def due(self) -> bool:
        """Whether a minute has passed since this was last true."""
        now = time.monotonic()
        if now < self._next_at:
            return False
        self._next_at = now + _SECONDS_BETWEEN_REPORTS
        return True
