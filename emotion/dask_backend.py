"""What joblib spreads, done by a Dask cluster: the parts of scikit-learn's stacks.

joblib's own backend "dask" (1.6) gives the data of the work to one worker, with which they are lost, and waits for ever
for a piece that no worker survives. Here data are results of Dask's, which makes them again where they are lost.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import distributed
import numpy as np
from distributed.worker import thread_state
from joblib import parallel_config
from joblib.parallel import ParallelBackendBase
from numpy.typing import NDArray

from emotion.cluster import outcome

_SMALL_BYTES: Final = 10_000
"""Arrays up to this size go with each piece that needs them."""


class DaskBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Lets the workers of the cluster that this process is connected to, or works for, do what `joblib.Parallel` asks
    for, also within a piece of work (see `joblib.parallel.ParallelBackendBase`). A worker that dies costs no more than
    what it was at.
    """

    def configure(self, n_jobs: int = 1, parallel: Any = None, **options: Any) -> int:
        """Begin to work for a `joblib.Parallel`.

        Parameters
        ----------
        n_jobs, parallel, options : as joblib gives them

        Returns
        -------
        int, as `effective_n_jobs`
        """
        self._client = distributed.get_client()
        self._arrays: dict[int, tuple[NDArray[Any], Any]] = {}
        return int(super().configure(n_jobs, parallel, **options))

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Count the pieces that are worth having at a time.

        Parameters
        ----------
        n_jobs : int, not looked at: all workers work

        Returns
        -------
        int, at least 2: a single one joblib would do itself
        """
        return max(2, sum(map(int, distributed.get_client().nthreads().values())))

    def submit(self, func: Any, callback: Callable[[Any], None]) -> Any:
        """Send pieces of work.

        Parameters
        ----------
        func : joblib's BatchedCalls
        callback : callable, called with the future when it is done

        Returns
        -------
        distributed.Future
        """
        pieces = [
            [
                function,
                [self._sent(value) for value in args],
                {name: self._sent(value) for name, value in kwargs.items()},
            ]
            for function, args, kwargs in func.items
        ]
        future = self._client.submit(_perform, pieces, pure=False)
        future.add_done_callback(callback)
        return future

    def _sent(self, value: Any) -> Any:
        """Give a large array as a future, the same to all pieces, and anything else as it is."""
        if not isinstance(value, np.ndarray) or value.nbytes <= _SMALL_BYTES:
            return value
        if id(value) not in self._arrays:
            self._arrays[id(value)] = value, self._client.submit(_itself, value, pure=False)
        return self._arrays[id(value)][1]

    def retrieve_result(self, out: Any, timeout: float | None = None) -> Any:
        """Wait for what became of pieces.

        Parameters
        ----------
        out : distributed.Future, as `submit` gave it
        timeout : ignored

        Returns
        -------
        list of results

        Raises
        ------
        ClusterError
            If no worker is left; besides that, whatever the work raises.
        """
        return outcome(self._client, out)

    def stop_call(self) -> None:
        """Let the cluster forget the arrays."""
        self._arrays.clear()

    def get_nested_backend(self) -> tuple["DaskBackend", int]:
        """Give what is used within pieces of work.

        Returns
        -------
        DaskBackend and how many jobs to ask it for
        """
        return DaskBackend(), -1

    @contextmanager
    def retrieval_context(self) -> Iterator[None]:
        """Leave the place on a worker to others while what was asked for within a piece of work is waited for."""
        within_work = hasattr(thread_state, "execution_state")
        if within_work:
            distributed.secede()
        try:
            yield
        finally:
            if within_work:
                distributed.rejoin()


def _perform(pieces: list[Any]) -> list[Any]:
    with parallel_config(DaskBackend(), n_jobs=-1):
        return [function(*args, **kwargs) for function, args, kwargs in pieces]


def _itself(array: NDArray[Any]) -> NDArray[Any]:
    return array
