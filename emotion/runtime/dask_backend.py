"""What joblib spreads, done by a Dask cluster: the parts of scikit-learn's stacks.

joblib's own backend "dask" (1.6) gives the data of the work to one worker at first, with which they are lost, and waits
for ever for a piece that no worker survives. Here data are results of Dask's, which makes them again where they are
lost.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import dask
import distributed
import numpy as np
from distributed.worker import thread_state
from joblib import parallel_config
from joblib.parallel import ParallelBackendBase
from numpy.typing import NDArray

from emotion.runtime.cluster import outcome, thread_count

_SMALL_BYTES: Final = 10_000
"""Arrays up to this size go with each piece that needs them."""


class DaskBackend(ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Lets the workers of the cluster that this process is connected to, or works for, do what `joblib.Parallel` asks
    for, also within a piece of work (see `joblib.parallel.ParallelBackendBase`).

    A worker that dies costs what it was at, with what others had done for that.
    """

    supports_retrieve_callback = True

    def effective_n_jobs(self, n_jobs: int) -> int:
        """Count the pieces that are worth having at a time.

        Parameters
        ----------
        n_jobs : int, 1 for work that is not worth sending; else all workers work

        Returns
        -------
        int, otherwise at least 2: a single piece at a time joblib would do itself

        Raises
        ------
        distributed.comm.CommClosedError
            If the scheduler does not answer any more.
        """
        return 1 if n_jobs == 1 else max(2, thread_count(distributed.get_client()))

    def start_call(self) -> None:
        """Begin to work for a `joblib.Parallel`.

        Raises
        ------
        distributed.comm.CommClosedError
            If the scheduler does not answer any more.
        """
        # Dask would advise to load large data from files; these have just been made.
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"})
        self._client = distributed.get_client()
        self._arrays: dict[int, tuple[NDArray[Any], Any]] = {}
        # A thread waits for each piece, and takes what is done from a worker that may die before it is asked for.
        self._waiting = ThreadPoolExecutor(2 * self.effective_n_jobs(-1), "piece")

    def submit(self, func: Any, callback: Callable[["Future[Any]"], None]) -> "Future[Any]":
        """Send pieces of work.

        Parameters
        ----------
        func : joblib's BatchedCalls
        callback : callable, called with the future when it is done

        Returns
        -------
        Future, of what `emotion.runtime.cluster.outcome` gives or raises

        Raises
        ------
        distributed.client.ClosedClientError
            If the connection to the scheduler was given up.
        """
        pieces = [
            [
                function,
                [self._sent(value) for value in args],
                {name: self._sent(value) for name, value in kwargs.items()},
            ]
            for function, args, kwargs in func.items
        ]
        done = self._waiting.submit(outcome, self._client, self._client.submit(_perform, pieces, pure=False))
        done.add_done_callback(callback)
        return done

    def _sent(self, value: Any) -> Any:
        """Give a large array as a future, the same to all pieces, and anything else as it is."""
        if not isinstance(value, np.ndarray) or value.nbytes <= _SMALL_BYTES:
            return value
        if id(value) not in self._arrays:
            self._arrays[id(value)] = value, self._client.submit(_itself, value, pure=False)
        return self._arrays[id(value)][1]

    def retrieve_result_callback(self, out: "Future[Any]") -> Any:
        """Give what became of pieces that are done.

        Parameters
        ----------
        out : Future, as `submit` gave it

        Returns
        -------
        list of results

        Raises
        ------
        ClusterError
            If no worker is left; besides that, whatever the work raised.
        """
        return out.result()

    def stop_call(self) -> None:
        """Let the cluster forget the arrays, and the threads end."""
        self._arrays.clear()
        self._waiting.shutdown(wait=False)

    @contextmanager
    def retrieval_context(self) -> Iterator[None]:
        """Leave the place on a worker to others while what was asked for within a piece of work is waited for.

        Yields
        ------
        nothing
        """
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
