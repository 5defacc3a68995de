"""What the endless client does: projects go round in circles, in a process that has loaded what a worker loads.

They are sent back, put on the waiting list, taken up and submitted again, with comments, refused commands and bulks between;
every case keeps growing papers out of it, so that only what the process keeps can grow.
"""

from __future__ import annotations

import json
import threading
import time
from random import Random
from typing import TYPE_CHECKING, Any

from config.handed_settings import handed
from engine.commands import Comment, Fire, Principal
from engine.errors import Refused, TiendoError
from engine.execute import execute, execute_all, preview
from handlers.alone import Alone
from tests.bench.resident import rss

if TYPE_CHECKING:
    from engine.commands import Command
    from engine.engine import Engine

#: The round: who, trigger, and whether it needs a reason. It begins and ends before the minister.
_ROUND = (
    ("ministry.minister", "send_back", True), ("agency.officer", "waitlist", True),
    ("agency.officer", "take_up_again", False), ("agency.head", "propose_plan", False),
)  # fmt: skip
_TOGETHER = 16


class Walk:
    """The commands of one thread, on cases of its own.

    Shapes:
        done: commands sent so far. refused: of those, refused, which was meant.
    """

    def __init__(self, asked: dict[str, Any], share: list[str], seed: int) -> None:
        self._people: dict[str, str] = asked["people"]
        self._share = share
        self._steps = dict.fromkeys(share, 0)
        self._random = Random(seed)
        self.done = self.refused = 0

    def next(self) -> tuple[list[Command], bool]:
        """Return the next commands, and whether they share a transaction."""
        choice = self._random.random()
        if choice < 0.1:
            return [self._comment(self._random.choice(self._share))], False
        if choice < 0.15:
            return [self._wrong(self._random.choice(self._share))], False
        if choice < 0.2:
            cases = self._random.sample(self._share, min(_TOGETHER, len(self._share)))
            return [self._step(case) for case in cases], True
        return [self._step(self._random.choice(self._share))], False

    def _principal(self, seat: str) -> Principal:
        return Principal("person", self._people[seat], "cli")

    def _step(self, case: str) -> Command:
        seat, trigger, reasoned = _ROUND[self._steps[case] % len(_ROUND)]
        self._steps[case] += 1
        reason = f"lượt {self._steps[case]}" if reasoned else ""
        return Fire(principal=self._principal(seat), case=case, trigger=trigger, reason=reason)

    def _comment(self, case: str) -> Command:
        return Comment(principal=self._principal("agency.officer"), case=case, text=f"ghi chú {self.done}")

    def _wrong(self, case: str) -> Command:
        return Fire(principal=self._principal("agency.officer"), case=case, trigger="approve")


def walk_all(asked: dict[str, Any]) -> int:
    """Walk until the commands are used up; 1 when something failed that was not meant to."""
    given = Alone(handed(asked["settings"]), as_json=True, language="vi")
    engine = given.engine
    shares = [asked["cases"][place :: asked["threads"]] for place in range(asked["threads"])]
    walks = [Walk(asked, share, seed) for seed, share in enumerate(shares)]
    failed: list[str] = []
    threads = [
        threading.Thread(target=_walk, args=(engine, walk, asked, failed), daemon=True) for walk in walks
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for part in asked["parts"]:
        while sum(walk.done for walk in walks) < asked["commands"] * part and any(
            one.is_alive() for one in threads
        ):
            time.sleep(0.02)
        print(json.dumps({"mark": rss()}), flush=True)
    for thread in threads:
        thread.join()
    done = sum(walk.done for walk in walks)
    print(json.dumps({"done": done, "refused": sum(walk.refused for walk in walks),
                      "seconds": time.perf_counter() - began, "failed": " ".join(failed)}), flush=True)  # fmt: skip
    given.close()
    return 1 if failed else 0


def _walk(engine: Engine, walk: Walk, asked: dict[str, Any], failed: list[str]) -> None:
    try:
        while walk.done < asked["commands"] // asked["threads"]:
            _send(engine, walk)
    except Exception as why:  # noqa: BLE001 - told to the parent
        failed.append(f"{type(why).__name__}: {why}")


def _send(engine: Engine, walk: Walk) -> None:
    commands, together = walk.next()
    walk.done += len(commands)
    if together:
        for answer in execute_all(engine, commands):
            if isinstance(answer, TiendoError):
                raise answer
        return
    command = commands[0]
    if isinstance(command, Fire) and command.trigger == "approve":
        try:
            execute(engine, command)
        except Refused:
            walk.refused += 1
        return
    execute(engine, command)
    if isinstance(command, Comment):
        preview(engine, command.case, command.principal.person)
