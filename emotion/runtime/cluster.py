"""Who does the work: threads or processes of this machine, or the workers of a Dask cluster. The work is the same."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawValue
from typing import Any, Final, TypeVar

import cv2

from emotion import config
from emotion.errors import ClusterError
from emotion.runtime.interrupts import ctrl_c_at_the_end, ctrl_c_held_back

Item = TypeVar("Item")
Result = TypeVar("Result")

_CONNECT_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 30.0
_MOST_PROCESSES: Final = 61
"""Windows can wait for no more of them at once."""
_AHEAD: Final = 4
"""Pieces of work that wait for each worker: enough that none is idle, few enough for memory."""


class Stopping:
    """Says that the rest of the work is not wanted any more, to threads and to the processes of `workers` alike.

    Pickled on its way to such a process, it becomes the one that the process was started with.

    Parameters
    ----------
    value : shared by those who set and those who ask, optional
    """

    def __init__(self, value: Any = None) -> None:
        self.value = RawValue("b", 0) if value is None else value

    def set(self) -> None:
        """Say so."""
        self.value.value = 1

    def is_set(self) -> bool:
        """Ask."""
        return bool(self.value.value)

    def __reduce__(self) -> tuple[Callable[[], "Stopping"], tuple[()]]:
        return _inherited_stopping, ()


class Workers:
    """Does pieces of work side by side, and hands back their results in order.

    Parameters
    ----------
    submit : callable, of a function and its argument, that gives a future
    result : callable, of a future, that waits for what became of it
    count : callable, that gives how many pieces are done at a time; on a cluster, workers come and go

    Attributes
    ----------
    stopping : Stopping, which is set when the rest of the work is not wanted any more; on a cluster, None
    """

    def __init__(
        self,
        submit: Callable[..., Any],
        result: Callable[[Any], Any],
        count: Callable[[], int],
        stopping: Stopping | None = None,
    ) -> None:
        self._submit = submit
        self._result = result
        self._count = count
        self.stopping = stopping

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Give each item's result, in the order of the items, of which a few at a time are held.

        Parameters
        ----------
        function : callable
        items : iterable, asked for as the work goes on

        Yields
        ------
        what `function` gives; what it raises is raised here
        """
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(self._submit(function, item))
                if len(waiting) > _AHEAD * self._count():
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            if self.stopping is not None:
                self.stopping.set()
            for future in waiting:
                future.cancel()


@contextmanager
def workers(dask: str | None = None, *, processes: bool = False) -> Iterator[Workers]:
    """Find those who do the work.

    Parameters
    ----------
    dask : str, optional
        The address of a Dask scheduler, such as ``tcp://10.0.0.1:8786``; without, the cores of this machine.
    processes : bool
        Whether each of those cores gets a process of its own instead of a thread: for work that is Python's own for
        the most part, of which threads do one piece at a time. Function, items and results are pickled then.

    Yields
    ------
    Workers

    Raises
    ------
    ClusterError
        As `connected`, or if a process dies.
    """
    if dask is None:
        with _processes() if processes else _threads() as own:
            yield own
        return
    with connected(dask) as client:
        # Told here already: on its way, a lost connection, which is an OSError, could be taken for a full disk.
        @_loss_told(dask)
        def submit(function: Callable[[Item], Result], item: Item) -> Any:
            return client.submit(function, item, pure=False)

        @_loss_told(dask)
        def result(future: Any) -> Any:
            return outcome(client, future)

        @_loss_told(dask)
        def count() -> int:
            return thread_count(client)

        yield Workers(submit, result, count)


@contextmanager
def _threads() -> Iterator[Workers]:
    with ThreadPoolExecutor(_cores()) as pool:
        yield Workers(pool.submit, Future.result, _cores, Stopping())


def _cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _processes() -> Iterator[Workers]:
    count, stopping = min(_cores(), _MOST_PROCESSES), Stopping()
    # Forked, they share what is imported, and start at once; elsewhere than on Linux that is not safe.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    used_before = cv2.getNumThreads()
    cv2.setNumThreads(1)  # a fork would wait for ever for threads that it does not have
    try:
        pool = ProcessPoolExecutor(count, context, _begin, (stopping.value,))
        try:
            with ctrl_c_held_back():
                pool.submit(int).result()  # starts them all
            yield Workers(pool.submit, Future.result, lambda: count, stopping)
        finally:
            with ctrl_c_at_the_end():
                pool.shutdown()
    except BrokenProcessPool as error:
        raise ClusterError(
            "A process that did the work was killed; the computer may lack memory. Close other programs, then start "
            "the same command again."
        ) from error
    finally:
        cv2.setNumThreads(used_before)


_stopping: Stopping | None = None
"""What the process was started with."""


def _inherited_stopping() -> Stopping:
    return _stopping or Stopping()


def _begin(value: Any) -> None:
    """Start a process: Ctrl-C is its parent's to act upon, and without a parent it ends, too."""
    global _stopping  # a process can be given something in no other way
    _stopping = Stopping(value)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)  # the pictures themselves are spread over the cores
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def connected(dask: str) -> Iterator[Any]:
    """Connect to a Dask cluster whose workers have this project, too.

    Parameters
    ----------
    dask : str, the address of its scheduler

    Yields
    ------
    distributed.Client, which `emotion.runtime.dask_backend.DaskBackend` finds by itself

    Raises
    ------
    ClusterError
        If Dask is not installed, the address is empty, nobody answers, there are no workers, they do not have this
        project, or the cluster is lost on the way.
    """
    if not dask:  # Dask would start a cluster of its own
        raise ClusterError("Name the address of a Dask scheduler, such as tcp://10.0.0.1:8786.")
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"A cluster needs {error.name}, which is not installed: pip install -r requirements/cluster.txt, or "
            "install the package with its extra cluster."
        ) from error

    # What it says of connections that are lost is said below, in a sentence.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(dask, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError, TypeError) as error:  # the last of an address whose kind needs more than this one has
        raise ClusterError(
            f"No Dask scheduler answers at {dask}. Start one with: python -m distributed.cli.dask_scheduler, or "
            "correct the address."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except distributed.TimeoutError as error:
            raise ClusterError(
                f"The scheduler at {dask} has no workers. Start some with: python -m distributed.cli.dask_worker {dask}"
            ) from error
        try:
            client.run_on_scheduler(_introduce)
            client.run(_introduce)
        except Exception as error:  # whatever one without this project, or with another one, raises
            raise ClusterError(
                f"The machines of {dask} cannot import this project ({error.__cause__ or error}). Start scheduler and "
                "workers in the folder of a clone, with the packages of requirements/cluster.txt: python -m "
                f"distributed.cli.dask_scheduler, python -m distributed.cli.dask_worker {dask}"
            ) from error
        with _loss_told(dask):
            yield client


def thread_count(client: Any) -> int:
    """Count the threads of a cluster's workers.

    Parameters
    ----------
    client : distributed.Client

    Returns
    -------
    int, >= 0

    Raises
    ------
    distributed.comm.CommClosedError
        If the scheduler does not answer any more.
    """
    import distributed

    try:
        if client.status == "closed":
            raise OSError("its connection was given up")
        return sum(client.nthreads().values())
    except OSError as error:
        raise distributed.comm.CommClosedError(f"the scheduler does not answer: {error}") from error


def outcome(client: Any, future: Any) -> Any:
    """Wait for what becomes of work on a cluster.

    Parameters
    ----------
    client : distributed.Client
    future : distributed.Future

    Returns
    -------
    what the work gives

    Raises
    ------
    ClusterError
        If there are no workers any more.
    distributed.comm.CommClosedError
        If the scheduler does not answer any more; besides that, whatever the work raises.
    """
    while True:
        try:
            return future.result(timeout=_PATIENCE_SECONDS)
        except TimeoutError:
            if future.status == "error":  # just now, or with a TimeoutError of the work's own
                return future.result()
            if not thread_count(client):
                raise ClusterError(
                    f"The scheduler at {client.scheduler.address} has lost all its workers. Start some, and the same "
                    "command again."
                ) from None


@contextmanager
def _loss_told(dask: str) -> Iterator[None]:
    import distributed

    try:
        yield
    except distributed.scheduler.KilledWorker as error:
        raise ClusterError(
            f"Workers of {dask} died at the same piece of work again and again: they may lack memory."
        ) from error
    except (
        distributed.CancelledError,
        distributed.client.ClosedClientError,
        distributed.comm.CommClosedError,
        distributed.TimeoutError,
    ) as error:
        raise ClusterError(f"The cluster at {dask} was lost. Start it, and the same command again.") from error


def _introduce() -> str:
    cv2.setNumThreads(1)  # the pictures themselves are spread over the cores
    return str(config.ROOT)
