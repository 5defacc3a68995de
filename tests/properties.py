"""How many examples a property of tests/unit tries: few in the quick run, many in `make soak` (MORE_EXAMPLES=100).

A property finds its fault by the number of examples over all runs, not by those of one: the quick run is run hundreds of
times a day, with another seed each time.
"""

from __future__ import annotations

import os

from hypothesis import settings

MORE = int(os.environ.get("MORE_EXAMPLES", "1"))


def tries(count: int) -> settings:
    """Return the settings of a property that tries `count` examples in the quick run.

    Shapes:
        no database of examples (unit tests write no file), no time limit for an example (machines are shared).
    """
    return settings(max_examples=count * MORE, database=None, deadline=None)
