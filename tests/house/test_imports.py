"""Who may import whom: layers, cages of libraries, the order of the walk, no rings."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import pytest

from tests.house.sources import HERE, OURS, PRODUCT, imports, module_name, parse, plant, python_files

if TYPE_CHECKING:
    from pathlib import Path

WALK = (
    "engine.commands",
    "engine.machine",
    "engine.records",
    "engine.execute",
    "engine.relay",
    "handlers.dispatch",
    "handlers.notices",
)
#: Which of our modules each folder may import, by the start of their names.
LAYERS = {
    "config": ("config",),
    "engine": ("engine",),
    "workflows": ("workflows", "engine.guards"),
    "handlers": PRODUCT,
}
#: Each library has one cage; a library that isn't named here is not a run-time dependency.
CAGES = {
    "alembic": ("engine/*",),
    "cel": ("engine/expressions.py",),
    "cryptography": ("engine/*",),
    "dramatiq": (
        "handlers/dispatch.py",
        "handlers/worker.py",
        "handlers/ticker.py",
        "handlers/build.py",
        "handlers/redis_bell.py",
    ),
    "jinja2": ("handlers/*",),
    "orjson": ("engine/*", "handlers/*", "config/*"),
    "prometheus_client": ("handlers/metrics.py",),
    "psycopg": ("engine/postgres_*.py",),
    "pydantic": ("config/settings.py",),
    "pydantic_settings": ("config/settings.py",),
    "redis": ("handlers/redis_queues.py", "handlers/doctor_bell.py"),
    "rich": ("handlers/*",),
    "sqlalchemy": ("engine/*", "handlers/build.py", "handlers/doctor_*.py"),
    "structlog": ("*",),
    "transitions": ("engine/machine.py",),
    "typer": ("handlers/*",),
    "uuid_utils": ("engine/*", "handlers/*"),
    "yaml": ("engine/yaml_text.py",),
}
#: The only place where something is asynchronous: many open pages would else fill the thread pool.
ASYNC_FILE = "handlers/web/live.py"


def starts_with(module: str, start: str) -> bool:
    return module == start or module.startswith(start + ".")


def layer_breaks(root: Path) -> list[str]:
    broken = []
    for file in python_files(root):
        allowed = LAYERS[file.split("/", 1)[0]]
        for found in imports(root, file):
            is_ours = found.module.split(".", 1)[0] in OURS
            if is_ours and not any(starts_with(found.module, start) for start in allowed):
                broken.append(str(found))
    return broken


def escapes(root: Path) -> list[str]:
    escaped = []
    for file in python_files(root):
        for found in imports(root, file):
            library = found.module.split(".", 1)[0]
            if library in OURS or library in sys.stdlib_module_names:
                continue
            if not any(fnmatch(file, cage) for cage in CAGES.get(library, ())):
                escaped.append(str(found))
    return escaped


def import_graph(root: Path) -> dict[str, set[str]]:
    """Return which of our product modules each one imports."""
    files = {module_name(file): file for file in python_files(root)}
    return {
        name: {
            found.module for found in imports(root, file) if found.module in files and found.module != name
        }
        for name, file in files.items()
    }


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for module in graph.get(waiting.pop(), set()) - seen:
            seen.add(module)
            waiting.append(module)
    return seen


def walk_breaks(root: Path) -> list[str]:
    graph = import_graph(root)
    broken = []
    for place, file in enumerate(WALK):
        later = reachable(graph, file) & set(WALK[place + 1 :])
        broken += [f"{file} reaches {name}, a later file of the walk" for name in sorted(later)]
    return broken


def rings(root: Path) -> list[str]:
    graph = import_graph(root)
    reached = {name: reachable(graph, name) for name in graph}
    return [
        f"{name} → {other}"
        for name in sorted(graph)
        for other in sorted(graph[name])
        if name in reached[other]
    ]


def second_log_set_ups(root: Path) -> list[str]:
    return [
        f"{file}:{node.lineno}"
        for file in python_files(root)
        if file != "config/logs.py"
        for node in ast.walk(parse(root, file))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"structlog.configure", "logging.basicConfig"}
    ]


def second_colours(root: Path) -> list[str]:
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    return [
        f"{file}:{getattr(node, 'lineno', 0)}"
        for file in python_files(root)
        if file != ASYNC_FILE
        for node in ast.walk(parse(root, file))
        if isinstance(node, kinds)
    ]


def test_each_layer_imports_only_what_it_may() -> None:
    assert not (found := layer_breaks(HERE)), "\n".join(found)


def test_each_library_stays_in_its_cage() -> None:
    assert not (found := escapes(HERE)), "\n".join(found)


def test_no_file_of_the_walk_needs_a_later_one() -> None:
    assert not (found := walk_breaks(HERE)), "\n".join(found)


def test_no_modules_import_each_other_in_a_ring() -> None:
    assert not (found := rings(HERE)), "\n".join(found)


def test_the_technical_log_is_set_up_in_one_place() -> None:
    assert not (found := second_log_set_ups(HERE)), "\n".join(found)


def test_the_product_has_one_colour() -> None:
    assert not (found := second_colours(HERE)), "\n".join(found)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("engine__a", "import config.settings"),
        ("engine__a", "def f():\n    from handlers import build"),
        ("engine__a", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import handlers"),
        ("engine__a", "import importlib\nimportlib.import_module('handlers.build')"),
        ("engine__a", "import workflows"),
        ("config__a", "import engine.errors"),
        ("workflows__a", "import engine.execute"),
        ("handlers__a", "import tests.builders"),
    ],
)
def test_a_planted_break_of_the_layers_is_found(tmp_path: Path, file: str, text: str) -> None:
    # given
    plant(tmp_path, engine__execute="", handlers__build="", **{file: text})
    # when / then
    assert len(layer_breaks(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("engine__loader", "import yaml"),
        ("engine__guards", "from cel import evaluate"),
        ("handlers__notices", "import dramatiq.brokers.stub"),
        ("engine__timers", "from transitions.core import Machine"),
        ("handlers__a", "import hypothesis"),
    ],
)
def test_a_planted_escape_of_a_library_is_found(tmp_path: Path, file: str, text: str) -> None:
    assert len(escapes(plant(tmp_path, **{file: text}))) == 1


def test_a_planted_step_back_in_the_walk_is_found_even_through_another_file(tmp_path: Path) -> None:
    # given
    plant(tmp_path, engine__commands="", engine__machine="import engine.family", engine__execute="")
    plant(tmp_path, engine__family="from engine import execute")
    # when / then
    assert walk_breaks(tmp_path) == ["engine.machine reaches engine.execute, a later file of the walk"]


def test_a_planted_ring_is_found_even_when_only_types_are_imported(tmp_path: Path) -> None:
    # given
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from engine.a import A"
    plant(tmp_path, engine__a="from engine.b import B", engine__b=typed, engine__c="import engine.a")
    # when / then
    assert rings(tmp_path) == ["engine.a → engine.b", "engine.b → engine.a"]


def test_a_planted_second_set_up_of_the_log_is_found(tmp_path: Path) -> None:
    plant(
        tmp_path,
        handlers__worker="import structlog\nstructlog.configure()",
        config__logs="structlog.configure()",
    )
    assert second_log_set_ups(tmp_path) == ["handlers/worker.py:2"]


def test_a_planted_second_colour_is_found(tmp_path: Path) -> None:
    plant(tmp_path, handlers__web__live="async def f(): ...", handlers__web__pages="async def f(): ...")
    assert second_colours(tmp_path) == ["handlers/web/pages.py:1"]


def test_the_walk_is_made_of_files_that_exist_or_are_still_to_come() -> None:
    # given: the first file of the walk is there from the first day, so the walk can't be checked on nothing
    present = [name for name in WALK if name in import_graph(HERE)]
    # then
    assert present[0] == "engine.commands"
