"""Definitions from anywhere: a clean refusal or an equivalent definition; never a crash, a hang, or code that runs."""

from __future__ import annotations

import os
import random
import re
import time
from typing import TYPE_CHECKING

import pytest

import workflows.guards  # noqa: F401  (its guards are named in the shipped files)
from engine import library
from engine.errors import TiendoError
from engine.findings import DefinitionRefused
from engine.library import definition_files
from engine.linter import validate
from engine.loader import Known, load, outline
from workflows import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

FILES = {path.name: path.read_text() for path in definition_files(FOLDER)}
KNOWN = Known(
    definitions={one.name: one for name, text in FILES.items() for one in [outline(text, name=name)]}
)
LEAVE = FILES["leave_request.yaml"]
MUTATIONS = 10_000

HOSTILE = {
    "aliases": LEAVE.replace("{kind: person,", "&a {kind: person,").replace(
        "office:\n", "boss: *a\n  office:\n"
    ),
    "billion_laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ndefinition: x\n",
    "merge_keys": LEAVE.replace("version: 1\n", "version: 1\n<<: {series: X}\n"),
    "python_object": LEAVE.replace(
        "version: 1", "version: !!python/object/apply:os.system ['touch HOSTILE']"
    ),
    "python_name": LEAVE.replace("version: 1", "version: !!python/name:os.system"),
    "tag": LEAVE.replace("version: 1", "version: !!int 1"),
    "deep_yaml": "definition: " + "[" * 5_000 + "]" * 5_000,
    "deep_maps": "definition: " + "{a: " * 5_000 + "1" + "}" * 5_000,
    "too_long": LEAVE + "#" + "x" * 300_000,
    "many_keys": "definition: {" + ", ".join(f"k{n}: 1" for n in range(20_000)) + "}",
    "duplicate_key": LEAVE.replace("version: 1\n", "version: 1\nversion: 1\n"),
    "nul": LEAVE.replace("Đơn", "Đ\x00n", 1),
    "direction_mark": LEAVE.replace("Đơn xin nghỉ phép,", "Đơn\u202e xin nghỉ phép,", 1),
    "system_call": LEAVE.replace("that: first_day <= last_day", "that: os.system('touch HOSTILE')"),
    "dunder": LEAVE.replace("that: first_day <= last_day", "that: first_day.__class__.__mro__"),
    "dunder_name": LEAVE.replace("that: first_day <= last_day", "that: __import__('os')"),
    "deep_expression": LEAVE.replace(
        "that: first_day <= last_day", "that: " + "(" * 400 + "true" + ")" * 400
    ),
    "long_expression": LEAVE.replace("that: first_day <= last_day", "that: " + "true && " * 100 + "true"),
    "slow_pattern": LEAVE.replace("that: first_day <= last_day", "that: reason_text.matches('(a+)+$')"),
    "dotted_guard": LEAVE.replace("not_same_person_as: [write, submit]", "os.system: [id]"),
    "dunder_guard": LEAVE.replace("not_same_person_as: [write, submit]", "__init__: [id]"),
    "dunder_state": LEAVE.replace("  approved: {", "  __class__: {"),
    "format_words": LEAVE.replace("Ngày nghỉ đầu tiên", "{first_day.__class__} {0} {rules.x!r}"),
    "not_a_map": "- definition: x\n",
    "empty": "",
    "binary": "definition: \x7fELF",
    "merged_document": LEAVE + "---\n" + LEAVE,
    "number_key": "1: 2\ndefinition: x\n",
    "float": LEAVE.replace("version: 1", "version: 1.0"),
    "huge_number": LEAVE.replace("version: 1", "version: " + "9" * 400),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_in_words(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a file made to hurt, in a folder of its own
    assert text != LEAVE
    monkeypatch.chdir(tmp_path)
    began = time.thread_time()

    # when it is loaded
    with pytest.raises(DefinitionRefused) as refused:
        load(text, name="hostile.yaml", known=KNOWN)

    # then it is refused within a second, with a place and what to do, and nothing of it ran
    assert time.thread_time() - began < 1
    assert refused.value.findings[0].line >= 1
    assert len(refused.value.findings[0].words.vi) > 10
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_text_are_refused() -> None:
    # given bytes that are not UTF-8 / when they are loaded / then they are refused with a place
    with pytest.raises(DefinitionRefused) as refused:
        load(b"definition: \xff\xfe", name="hostile.yaml")
    assert refused.value.findings[0].code == "yaml_not_utf8"


_SPLICES = (
    "{", "}", "[", "]", ":", ": ", "- ", ",", "'", '"', "&a ", "*a", "!!python/name:os.system ", "<<: ", "\n", "  ", "\t",
    "null", "true", "no", "12:30", "010", "1.5", "-1", "999999999999999999999", "2026-02-30", "__class__", "os.system('x')",
    "$previous", "$same", "holder", "rules.x", "parent.x", "plan - 1", "5 wd", "0 d", "\u202e", "\x00", "Đ", "a" * 300,
)  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    """Return the text with one to three small injuries: what typing, copying and merging do to a file."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        lines = text.split("\n")
        row = chance.randrange(len(lines))
        match chance.randrange(8):
            case 0:
                text = text[:at] + text[at + chance.randint(1, 30) :]
            case 1:
                text = text[:at] + chance.choice(_SPLICES) + text[at:]
            case 2:
                text = "\n".join([*lines[:row], *lines[row + 1 :]])
            case 3:
                text = "\n".join([*lines[:row], lines[row], *lines[row:]])
            case 4:
                text = "\n".join(
                    [*lines[:row], " " * chance.randint(0, 8) + lines[row].lstrip(), *lines[row + 1 :]]
                )
            case 5:
                words = re.findall(r"[a-z_]{3,}", text)
                text = (
                    text.replace(chance.choice(words), chance.choice(words), chance.randint(1, 2))
                    if words
                    else text
                )
            case 6:
                text = (
                    text[:at]
                    + chr(chance.choice([9, 32, 58, 123, 0x1EA1, 0x200B, chance.randrange(32, 127)]))
                    + text[at + 1 :]
                )
            case _:
                text = re.sub(r"\b\d+\b", lambda _: str(chance.choice([0, -1, 2**63, 10**18])), text, count=1)
    return text


@pytest.mark.timeout(300)
def test_ten_thousand_mutations_end_in_words_or_in_an_equivalent_definition(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # given a seed that is printed, and as many small injuries as a second each way allows
    seed = int(os.environ.get("MUTATION_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    chance = random.Random(seed)
    # Shown with the failure too, where several processes share the tests and nothing else gets through.
    told = f"mutations of definitions: seed {seed} (MUTATION_SEED={seed} repeats it)"
    print(told)
    with capsys.disabled():
        print(f"\n{told}")
    whole = {name: load(text, name=name, known=KNOWN) for name, text in FILES.items()}
    # Small files are injured more often: each mutation of a large one takes ten times as long.
    names = sorted(FILES, key=lambda name: len(FILES[name]))
    weights = [1 / len(FILES[name]) for name in names]
    refused = loaded = same = 0
    slowest = 0.0

    for _ in range(MUTATIONS):
        name = chance.choices(names, weights)[0]
        text = mutated(FILES[name], chance)
        began = time.thread_time()

        # when the injured file is validated
        try:
            definition, findings = validate(text, name=name, known=KNOWN)
        except TiendoError as why:  # pragma: no cover  (a refusal must be findings, not an exception)
            pytest.fail(f"seed {seed}: {name}: {why}")
        slowest = max(slowest, time.thread_time() - began)

        # then it is refused with places, or it is a definition that the same text gives again
        if definition is None:
            refused += 1
            assert findings
            assert all(one.line >= 1 and one.column >= 1 for one in findings)
        else:
            loaded += 1
            same += definition.hash == whole[name].hash
            assert set(definition.states) >= {definition.start.to}
            assert len(definition.hash) == 64

    with capsys.disabled():
        print(
            f"refused {refused}, loaded {loaded} (of these {same} the same as before), slowest {slowest * 1000:.0f} ms"
        )
    assert slowest < 1
    assert refused > MUTATIONS / 4
    assert same > 0


def test_the_shipped_folder_is_clean() -> None:
    # given the folder as it is shipped / when its library is read / then nothing is to be corrected
    found = library.read_library([FOLDER])
    assert [one.sentence("en") for one in found.findings] == []
    assert set(found.definitions) >= {"leave_request"}


def test_an_example_with_a_value_of_another_type_is_a_finding_and_no_crash() -> None:
    # given the shipped project, an example of which says a word where a sum is wanted
    name = "national_project.yaml"
    text = FILES[name]
    broken = text.replace(
        "given: {state: awaiting_minister", "given: {today: never, state: awaiting_minister", 1
    )
    assert broken != text
    # when it is validated
    _, findings = validate(broken, name=name, known=KNOWN)
    # then that is said, in the place of the example
    assert "test_fails" in {one.code for one in findings}


def test_a_text_in_the_place_of_a_percent_is_not_multiplied() -> None:
    # given an example whose rate is a text: times a sum it would be a text of gigabytes
    name = "advance.yaml"
    broken = FILES[name].replace("advance_rate: 7000", "advance_rate: many", 1)
    assert broken != FILES[name]
    # when it is validated
    began = time.thread_time()
    _, findings = validate(broken, name=name, known=KNOWN)
    # then it is a finding, at once
    assert time.thread_time() - began < 1
    assert [one.code for one in findings] == ["test_fails"]
