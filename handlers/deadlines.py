"""A transition that planned deadlines wants them looked at now: what is due already fires without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import relay, timers
from handlers.dispatch import handles

if TYPE_CHECKING:
    from handlers.dispatch import App


@handles("deadline.set", queue="deadlines")
def check_deadlines(app: App, outbox_id: str) -> None:
    """Fire what is due, each as a command whose id is the timer's: twice at once does it once.

    Errors:
        Unavailable: the row keeps its lease and is swept up after it; the tick fires the timers all the same.
    """
    row = relay.claim_row(app.engine.store, outbox_id, lease_seconds=app.lease_seconds)
    if row is None:
        return
    timers.fire_of_case(app.engine, row.subject)
    relay.finish(app.engine.store, row, None)
