"""A process that carries out commands for a long time: does its memory grow? `python -m tests.bench.pg_endless`.

It has loaded what a worker has loaded, and nothing of a command line. The parent writes one line of JSON; the answers are
the memory after each part of the commands, and at the end what came of them.
"""

from __future__ import annotations

import json
import sys

from handlers import serving_process


def main() -> int:
    """Walk; 1 when something failed that was not meant to."""
    asked = json.loads(sys.stdin.readline())
    serving_process.load_no_rich()
    from tests.bench import pg_walk  # noqa: PLC0415 - it loads structlog

    return pg_walk.walk_all(asked)


if __name__ == "__main__":
    sys.exit(main())
