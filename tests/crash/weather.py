"""What happens to the servers while processes are killed: PostgreSQL crashes, Redis forgets everything or goes away."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from tests.crash.cluster import Cluster

#: Seconds between two of the same, at least and at most.
CRASHES, FLUSHES, STOPS = (5.0, 40.0), (1.0, 6.0), (8.0, 20.0)


def rough(cluster: Cluster, over: threading.Event) -> None:
    """Let the servers have bad days until it is over; they are up afterwards."""
    chance = random.Random(cluster.seed)
    passed, due = 0.0, {"crashes of PostgreSQL": 5.0, "flushes of Redis": 1.0, "stops of Redis": 7.0}
    spans = dict(zip(due, (CRASHES, FLUSHES, STOPS), strict=True))
    while True:
        what = min(due, key=lambda name: due[name])
        if over.wait(max(due[what] - passed, 0)):
            return
        passed = due[what]
        if what.startswith("crashes"):
            cluster.postgres.halt(signal.SIGQUIT)
            cluster.excuse("")
            over.wait(chance.random())
            cluster.postgres.run()
        elif what.startswith("flushes"):
            cluster.redis.client.flushall()
        else:
            cluster.redis.stop()
            over.wait(chance.random() * 2)
            cluster.redis.start()
        cluster.tally.weather[what] += 1
        due[what] += chance.uniform(*spans[what])
