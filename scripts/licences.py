"""List the licences of everything that runs with the product, and refuse what may not run with it.

The packages are those of config/locks/run.lock that this machine would install, as they are installed in the
environment that runs this script. GPL, AGPL and what can't be told fail; LGPL must be named in
docs/licences.md; MPL is allowed and listed.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import IntEnum
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).resolve().parent.parent
LOCK = HERE / "config" / "locks" / "run.lock"
NOTICE = HERE / "docs" / "licences.md"

TOKEN = re.compile(r"\(|\)|[^\s()]+")
PERMISSIVE = re.compile(
    r"(mit(-0)?|apache-2\.0|0?bsd(-[234]-clause)?|isc|psf-2\.0|python-2\.0|zlib|unlicense|cc0-1\.0)$",
    re.IGNORECASE,
)
#: The words of older metadata, and what they say today.
OLD_WORDS = {
    "mit license": "MIT",
    "bsd license": "BSD-3-Clause",
    "apache software license": "Apache-2.0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "python software foundation license": "PSF-2.0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
}


class Kind(IntEnum):
    """What a licence asks of us, from least to most."""

    PERMISSIVE = 0
    MPL = 1
    LGPL = 2
    UNKNOWN = 3
    FORBIDDEN = 4


@dataclass(frozen=True, order=True)
class Package:
    """One installed package and the licence it states ("" when it states none)."""

    name: str
    version: str
    licence: str

    @property
    def kind(self) -> Kind:
        """Return what its licence asks of us."""
        return judge(self.licence)


def judge(licence: str) -> Kind:
    """Return what an SPDX expression or an older licence word asks of us.

    Of `A OR B` the lighter counts, because the choice is ours; of `A AND B` the heavier.
    """
    tokens = TOKEN.findall(OLD_WORDS.get(licence.strip().lower(), licence))
    if not tokens:
        return Kind.UNKNOWN
    kind, rest = _any_of(tokens)
    return Kind.UNKNOWN if rest and kind < Kind.UNKNOWN else kind


def _any_of(tokens: list[str]) -> tuple[Kind, list[str]]:
    kind, rest = _all_of(tokens)
    while rest and rest[0].upper() == "OR":
        other, rest = _all_of(rest[1:])
        kind = min(kind, other)
    return kind, rest


def _all_of(tokens: list[str]) -> tuple[Kind, list[str]]:
    kind, rest = _single(tokens)
    while rest and rest[0].upper() in {"AND", "WITH"}:
        # An exception ("WITH …") only ever allows more; the licence before it decides.
        other, rest = _single(rest[1:]) if rest[0].upper() == "AND" else (kind, rest[2:])
        kind = max(kind, other)
    return kind, rest


def _single(tokens: list[str]) -> tuple[Kind, list[str]]:
    if not tokens:
        return Kind.UNKNOWN, []
    if tokens[0] == "(":
        kind, rest = _any_of(tokens[1:])
        return (kind, rest[1:]) if rest and rest[0] == ")" else (Kind.UNKNOWN, rest)
    return _name(tokens[0]), tokens[1:]


def _name(word: str) -> Kind:
    lowered = word.lower()
    if "lgpl" in lowered:
        return Kind.LGPL
    if "gpl" in lowered or lowered in {"gnu", "affero"}:
        return Kind.FORBIDDEN
    if lowered.startswith("mpl-2.0"):
        return Kind.MPL
    return Kind.PERMISSIVE if PERMISSIVE.match(word) else Kind.UNKNOWN


def stated(found: metadata.PackageMetadata) -> str:
    """Return the licence that a package's metadata states, the most exact field first."""
    expression = "".join(found.get_all("License-Expression") or [])
    if expression:
        return expression
    words = [
        line.rsplit("::", 1)[1].strip()
        for line in found.get_all("Classifier") or []
        if line.startswith("License ::") and line.count("::") > 1
    ]
    if words:
        return " AND ".join(OLD_WORDS.get(word.lower(), word) for word in words)
    text = "".join(found.get_all("License") or []).strip()
    return text if "\n" not in text else ""


def locked(lock: Path) -> list[str]:
    """Return the names in a lock that apply to this machine and this Python, in the lock's order."""
    lines = (line.rstrip("\\ \n") for line in lock.read_text(encoding="utf-8").splitlines())
    asked = [Requirement(line) for line in lines if line and line[0].isalnum()]
    return [need.name for need in asked if need.marker is None or need.marker.evaluate()]


def installed(names: list[str], path: list[str] | None = None) -> list[Package]:
    """Return the packages of these names as installed (on `path`, else on this interpreter's), sorted.

    Errors:
        PackageNotFoundError: one isn't installed; nothing can be said about it.
    """
    found = []
    for name in names:
        at = next(iter(metadata.distributions(name=name, path=path or sys.path)), None)
        if at is None:
            raise metadata.PackageNotFoundError(name)
        found.append(Package(name, at.version, stated(at.metadata)))
    return sorted(found)


def complaints(packages: list[Package], notice: str) -> list[str]:
    """Return one sentence for each package that may not run with the product or must be named and isn't."""
    said = []
    for package in packages:
        what = f"{package.name} {package.version} ({package.licence or 'states no licence'})"
        if package.kind is Kind.FORBIDDEN:
            said.append(f"{what}: its licence may not run with ours. Replace it, or use it in tests only.")
        elif package.kind is Kind.UNKNOWN:
            said.append(
                f"{what}: not a licence this check knows. Read it, then name it in scripts/licences.py."
            )
        elif package.kind is Kind.LGPL and f"`{package.name}`" not in notice:
            said.append(f"{what}: LGPL must be named in docs/licences.md, as `{package.name}`.")
    return said


def main() -> int:
    """Print the list and return 0, or the complaints and 1."""
    packages = installed(locked(LOCK))
    for package in packages:
        print(f"{package.name:<28} {package.version:<14} {package.kind.name.lower():<11} {package.licence}")
    wrong = complaints(packages, NOTICE.read_text(encoding="utf-8") if NOTICE.is_file() else "")
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{len(packages)} packages, {len(wrong)} complaints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
