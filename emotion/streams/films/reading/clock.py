"""Stamps of frames -> seconds from the beginning of the film."""

from typing import Final

LONGEST_SECONDS: Final = 7 * 24 * 3600.0
"""A film that says it is longer does not know."""
_LEAP_SECONDS: Final = 3600.0
_BACK_SECONDS: Final = 1.0
_LEAST_STEP_SECONDS: Final = 0.001


class Clock:
    """Turns the stamps of frames into seconds from the beginning, which always grow.

    Parameters
    ----------
    begins : float, seconds, when the film begins by its own clock; None where it does not say
    first : float, seconds, the stamp of its first frame; None where it has none
    rate : float, frames a second
    length : float, seconds, of the film; 0 where it is not known
    """

    def __init__(self, begins: float | None, first: float | None, rate: float, length: float) -> None:
        self._length = length
        self.zero = first or 0.0
        # Players stand at nought where the first of picture and sound begins.
        if begins is not None and self.zero - _LEAP_SECONDS < begins < self.zero:
            self.zero = begins
        self._step = 1.0 / rate
        self.last = -self._step

    def seconds(self, time: float | None) -> float:
        """Give the time of the next frame.

        Parameters
        ----------
        time : float, seconds, its stamp; None where it has none

        Returns
        -------
        float, seconds, more than the time before
        """
        if time is None:
            seconds = self.last + self._step
        else:
            seconds = time - self.zero
            leapt = seconds > max(self.last + _LEAP_SECONDS, self._length)
            if leapt or seconds < self.last - _BACK_SECONDS:  # a stamp is damaged, or another recording follows
                seconds = self.last + self._step
                self.zero = time - seconds
            elif seconds <= self.last:
                seconds = self.last + _LEAST_STEP_SECONDS
        self.last = seconds
        return seconds

    def jump_to(self, time: float) -> None:
        """Stand just before a stamp.

        Parameters
        ----------
        time : float, seconds
        """
        self.last = time - self.zero - self._step
