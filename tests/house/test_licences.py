"""What runs with the product may run with it: no GPL, no AGPL, nothing unknown; LGPL is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.licences import LOCK, NOTICE, Kind, Package, complaints, installed, judge, locked
from tests.house.sources import HERE

if TYPE_CHECKING:
    from pathlib import Path


def planted(folder: Path, name: str, *metadata: str) -> Package:
    """Put the metadata of an installed package into a folder and return what the check reads there."""
    place = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    place.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *metadata]
    (place / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return installed([name], [str(folder)])[0]


def test_all_that_runs_with_the_product_may_run_with_it() -> None:
    # given
    packages = installed(locked(LOCK))
    # then
    assert len(packages) >= 16
    assert complaints(packages, NOTICE.read_text(encoding="utf-8")) == []


def test_the_license_of_the_project_is_apache_two() -> None:
    text = (HERE / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text.splitlines()[1] + text.splitlines()[0] + text.splitlines()[2]
    assert "Version 2.0, January 2004" in text


@pytest.mark.parametrize(
    "metadata",
    [
        ("License-Expression: GPL-3.0-or-later",),
        ("License-Expression: AGPL-3.0-only",),
        ("License-Expression: MIT AND GPL-2.0-only",),
        ("License: GPLv3",),
        ("Classifier: License :: OSI Approved :: GNU Affero General Public License v3 (AGPLv3)",),
        ("Classifier: License :: OSI Approved :: GNU General Public License v2 (GPLv2)",),
        ("License: Proprietary",),
        ("Classifier: License :: OSI Approved",),
        (),
    ],
)
def test_a_planted_package_that_may_not_run_with_the_product_is_refused(
    tmp_path: Path, metadata: tuple[str, ...]
) -> None:
    # given
    package = planted(tmp_path, "intruder", *metadata)
    # when
    said = complaints([package], "`intruder`")
    # then
    assert len(said) == 1
    assert "intruder 1.0" in said[0]


def test_a_planted_lgpl_package_must_be_named(tmp_path: Path) -> None:
    # given
    line = "Classifier: License :: OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)"
    package = planted(tmp_path, "queue-lib", line)
    # then
    assert len(complaints([package], "nothing is named")) == 1
    assert complaints([package], "| `queue-lib` | LGPL |") == []


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("MIT", Kind.PERMISSIVE),
        ("MIT-0", Kind.PERMISSIVE),
        ("BSD License", Kind.PERMISSIVE),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", Kind.MPL),
        ("GPL-3.0-only OR MIT", Kind.PERMISSIVE),
        ("(GPL-3.0-only OR MIT) AND LGPL-2.1-only", Kind.LGPL),
        ("Apache-2.0 WITH LLVM-exception", Kind.PERMISSIVE),
        ("MITIGATED", Kind.UNKNOWN),
        ("MIT (", Kind.UNKNOWN),
        ("MIT Apache-2.0", Kind.UNKNOWN),
        ("", Kind.UNKNOWN),
    ],
)
def test_a_licence_is_judged_as_written(licence: str, kind: Kind) -> None:
    assert judge(licence) is kind


def test_the_lock_is_read_as_pip_reads_it(tmp_path: Path) -> None:
    # given
    lock = tmp_path / "a.lock"
    lock.write_text(
        "# made by\nalembic==1.0 \\\n    --hash=x\ncolorama==0.4 ; sys_platform == 'win32' \\\n    --hash=x\n"
        "six==1.0 ; python_full_version >= '3.0' \\\n    --hash=x\n",
        encoding="utf-8",
    )
    # then
    assert locked(lock) == ["alembic", "six"]
