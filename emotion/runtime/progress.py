"""A progress bar for steps of known relative length, whose clock goes on while a step runs."""

import contextlib
import threading
from collections.abc import Iterator

from tqdm import tqdm

from emotion.runtime.terminal import say


class Progress:
    """Counts seconds of expected work, so that the remaining time means something before the first step is over.

    Parameters
    ----------
    expected_seconds : float, of all steps together
    scale : float
        By how much there is more work than in the case that the seconds were measured on.
    enabled : bool
        Where standard error is no terminal, lines are said and no bar is drawn.
    """

    def __init__(self, expected_seconds: float, *, scale: float = 1.0, enabled: bool = True) -> None:
        self._scale = scale
        self._is_heard = enabled
        self._bar = tqdm(
            total=expected_seconds * scale,
            disable=None if enabled else True,
            smoothing=0,  # a rate over all steps, since seconds of one may be counted in another
            bar_format="{percentage:3.0f}%|{bar:20}| {elapsed} gone, about {remaining} to go  {desc}",
        )

    @contextlib.contextmanager
    def step(self, name: str, expected_seconds: float) -> Iterator[None]:
        """Show that a step runs; count it when it is over.

        Parameters
        ----------
        name : str
        expected_seconds : float, its share of the whole
        """
        self._bar.set_description_str(name)
        # Sums of fractions may exceed their total by the last digit, which tqdm warns of.
        end = min(self._bar.n + expected_seconds * self._scale, self._bar.total)
        over = threading.Event()
        clock = threading.Thread(target=self._advance, args=(over, end), daemon=True)
        clock.start()
        try:
            yield
        finally:
            over.set()
            clock.join()
        self._bar.update(max(0.0, end - self._bar.n))

    def _advance(self, over: threading.Event, end: float) -> None:
        """Count a second each second, and ever less of one as a step outlasts what was expected of it."""
        while not over.wait(1.0):
            self._bar.update(min(1.0, (end - self._bar.n) / 10))

    def say(self, text: str) -> None:
        """Print lines above the bar; nothing where it is not enabled.

        Parameters
        ----------
        text : str
        """
        if self._is_heard:
            with tqdm.external_write_mode():
                say(text)

    def close(self) -> None:
        """Leave the bar as it is and end it."""
        self._bar.close()
