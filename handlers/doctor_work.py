"""Looks at the work that is owed: who serves, what is stuck, which timers are late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from config.log_privacy import harmless
from engine.errors import Words
from handlers import doctor_bell
from handlers.doctor_lines import bad, ok, same, warn
from handlers.serving import STALE_SECONDS, holder_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, TextClause

    from handlers.cli_session import Session
    from handlers.doctor_lines import Line

_SECOND = 1_000_000
_LATE_WARN_SECONDS, _LATE_BAD_SECONDS = 60, 600
_START = Words("Chạy `tiendo up`.", "Run `tiendo up`.")


def serving(session: Session) -> Iterator[Line]:
    """Whether somebody delivers and fires timers."""
    if not session.settings.database_url.startswith("sqlite:"):
        yield _workers(session)
        return
    held = holder_of(session.store)
    if held is None:
        yield bad(Words("chưa có tiến trình nào", "nobody"), _START)
        return
    host, pid, beat_at = held
    age = (session.store.now() - beat_at) / _SECOND
    seen = Words(f"{host}:{pid}, nhịp cách đây {age:.0f} s", f"{host}:{pid}, last beat {age:.0f} s ago")
    yield ok(seen) if age < STALE_SECONDS else bad(seen, _START)


def _workers(session: Session) -> Line:
    """Tell how many workers the bell has heard; tickers and workers without a bell are known by their work only."""
    secret = session.settings.redis_url
    if secret is None:
        return ok(
            Words(
                "nhiều tiến trình, không có chuông: xem Việc gửi và Hẹn giờ có trễ không",
                "any number, without a bell: see whether Outbox and Timers are late",
            )
        )
    try:
        heard = doctor_bell.workers_heard(secret.get_secret_value(), STALE_SECONDS)
    except Exception as problem:  # noqa: BLE001 - the line Bell says what to do
        why = harmless(problem)
        return warn(Words(f"không hỏi được chuông ({why})", f"the bell can't be asked ({why})"))
    seen = Words(f"{heard} worker đang nghe chuông", f"{heard} workers listen to the bell")
    todo = Words("Chạy `tiendo worker` và `tiendo ticker`.", "Run `tiendo worker` and `tiendo ticker`.")
    return ok(seen) if heard else bad(seen, todo)


def _waiting(connection: Connection, asked: TextClause, now: int) -> tuple[int, float]:
    """Return how many rows are due, and for how many seconds the oldest has been."""
    count, oldest = connection.execute(asked, {"now": now}).one()
    return int(count), max(0.0, (now - oldest) / _SECOND) if oldest is not None else 0.0


def outbox(session: Session) -> Iterator[Line]:
    """Whether something waits too long to be sent, or was given up."""
    now = session.store.now()
    with session.store.read() as connection:
        parked = connection.execute(_PARKED).scalar() or 0
        count, age = _waiting(connection, _PENDING, now)
        dead = connection.execute(_DEAD, {"now": now}).scalar() or 0
    seen = Words(
        f"{count} việc đến hạn gửi, cũ nhất {age:.0f} s", f"{count} rows due, the oldest for {age:.0f} s"
    )
    todo = Words(
        "Không ai gửi, hoặc gửi không kịp: xem dòng Phục vụ và Chuông, rồi thêm `tiendo worker`.",
        "Nobody delivers, or not fast enough: see the lines Serving and Bell, then add a `tiendo worker`.",
    )
    yield _aged(age, seen, todo)
    if dead:
        yield warn(
            Words(
                f"{dead} việc bị bỏ giữa chừng, sẽ được nhận lại",
                f"{dead} rows left by a dead worker, to be claimed anew",
            ),
            Words("Nếu lặp lại, xem nhật ký của worker.", "If it comes again, see the worker's log."),
        )
    if parked:
        yield warn(
            Words(f"{parked} việc gửi đã dừng, chờ người xem", f"{parked} rows parked"),
            same("tiendo stuck; tiendo retry ID|all"),
        )


_PARKED = text("SELECT count(*) FROM outbox WHERE state = 'parked'")
_PENDING = text("SELECT count(*), min(due_at) FROM outbox WHERE state = 'pending' AND due_at <= :now")
_DEAD = text("SELECT count(*) FROM outbox WHERE state IN ('claimed', 'in_flight') AND lease_until < :now")


def timers(session: Session) -> Iterator[Line]:
    """Whether timers are fired in time, and whether some were refused."""
    now = session.store.now()
    with session.store.read() as connection:
        count, age = _waiting(connection, _DUE, now)
        refused = connection.execute(_REFUSED).scalar() or 0
    seen = Words(
        f"{count} hẹn giờ quá giờ, cũ nhất {age:.0f} s", f"{count} timers overdue, the oldest by {age:.0f} s"
    )
    todo = Words(
        "Không ai xét hạn: xem dòng Phục vụ (`tiendo up`, `tiendo ticker`).",
        "Nobody fires them: see the line Serving (`tiendo up`, `tiendo ticker`).",
    )
    yield _aged(age, seen, todo)
    if refused:
        yield warn(
            Words(f"{refused} hẹn giờ bị từ chối từ trước tới nay", f"{refused} timers were refused so far"),
            Words(
                "Hạn đã qua mà bước tự động không đủ điều kiện: xem `tiendo list --late`.",
                "A deadline passed and its automatic step lacked something: see `tiendo list --late`.",
            ),
        )


_DUE = text("SELECT count(*), min(due_at) FROM timer WHERE state = 'waiting' AND due_at <= :now")
_REFUSED = text("SELECT count(*) FROM timer WHERE state = 'refused'")


def _aged(age: float, seen: Words, todo: Words) -> Line:
    if age >= _LATE_BAD_SECONDS:
        return bad(seen, todo)
    return warn(seen, todo) if age >= _LATE_WARN_SECONDS else ok(seen)
