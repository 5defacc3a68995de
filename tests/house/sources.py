"""Reading the sources as text and syntax, for the house checks. The root is given: a test can plant one."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("engine", "workflows", "handlers", "config")
OURS = (*PRODUCT, "tests", "scripts")
_LEFTOVERS = {
    ".git",
    ".venv",
    "__pycache__",
    "var",
    "build",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
}


@dataclass(frozen=True, order=True)
class Import:
    """One import statement, wherever it stands (also in a function or under TYPE_CHECKING)."""

    file: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def tracked(root: Path) -> list[str]:
    """Return the paths that are or will be committed, sorted; without git, all but leftovers."""
    if (root / ".git").exists():
        asked = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split("\0")
        return sorted({path for path in listed if path and (root / path).is_file()})
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(
        str(path)
        for path in found
        if not _LEFTOVERS.intersection(path.parts) and ".egg-info" not in str(path)
    )


def python_files(root: Path, folders: tuple[str, ...] = PRODUCT) -> list[str]:
    """Return the paths of the Python files in these folders, sorted."""
    found = (path for folder in folders for path in (root / folder).rglob("*.py"))
    return sorted(str(path.relative_to(root)) for path in found if "__pycache__" not in path.parts)


def parse(root: Path, file: str) -> ast.Module:
    """Return the syntax tree of one file."""
    path = root / file
    return _parsed(path, path.stat().st_mtime_ns)


@cache
def _parsed(path: Path, _changed_ns: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def module_name(file: str) -> str:
    """Return the dotted name of a file: engine/stores/__init__.py is engine.stores."""
    return ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__")


def imports(root: Path, file: str) -> list[Import]:
    """Return all imports of a file; `from engine import relay` counts as engine.relay when that is a file."""
    found = []
    for node in ast.walk(parse(root, file)):
        if isinstance(node, ast.Import):
            found += [Import(file, node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [Import(file, node.lineno, _meant(root, node, alias.name)) for alias in node.names]
        elif isinstance(node, ast.Call) and _asks_by_name(node):
            found += [Import(file, node.lineno, word.value) for word in node.args[:1] if _is_text(word)]  # type: ignore[attr-defined]
    return sorted(set(found))


def _meant(root: Path, node: ast.ImportFrom, name: str) -> str:
    inner = f"{node.module}.{name}"
    path = root.joinpath(*inner.split("."))
    return inner if path.with_suffix(".py").is_file() or path.is_dir() else str(node.module)


def _asks_by_name(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"import_module", "__import__"}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def plant(root: Path, **files: str) -> Path:
    """Write a small tree and return its root: `engine__machine="import yaml"` is engine/machine.py."""
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
