"""The worker threads of a serving process: Dramatiq's, on the broker in the process or on Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dramatiq

if TYPE_CHECKING:
    from dramatiq import Broker

#: How long an idle thread sleeps before it looks whether to stop; a message wakes it at once.
_IDLE_MS = 100
#: A handler in the middle of sending may finish; after that its row is left to the lease.
_STOP_MS = 20_000


class Worker:
    """Threads that take messages and run handlers."""

    def __init__(self, broker: Broker, threads: int) -> None:
        self._worker = dramatiq.Worker(broker, worker_timeout=_IDLE_MS, worker_threads=threads)
        # No more than there are threads: what waits in a memory that dies is late by a heartbeat.
        self._worker.queue_prefetch = threads

    def start(self) -> None:
        """Start the threads."""
        self._worker.start()

    def stop(self) -> None:
        """Let running handlers finish, up to 20 s, and stop. Messages are forgotten, rows are not."""
        self._worker.stop(timeout=_STOP_MS)

    def join(self) -> None:
        """Wait until every message taken so far is done."""
        self._worker.join()
