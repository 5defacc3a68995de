from __future__ import annotations

import random
import sys

import pytest

from engine.yaml_text import LIMIT_BYTES, LIMIT_DEPTH, YamlRefused, plain, read
from tests.properties import MORE

#: Put the printed seed of a failed run here to see it again.
REPEAT = 0

SAMPLE = """\
# Một tệp như người ta viết
definition: advance
language: 1
title: {vi: "Tạm ứng", en: Advance}
fields:
  amount_vnd: {type: money, required: true}
states:
  requested:
    deadline:
      within: 5 wd
      ladder:
        - {at: -2 wd, to: [holder]}
        - {at: 0, to: [holder]}
    note: |
      Hai dòng
      văn bản
  paid: {final: accepted, holder: ~}
"""


def refused(text: str | bytes) -> YamlRefused:
    with pytest.raises(YamlRefused) as caught:
        read(text, name="tệp.yaml")
    return caught.value


def test_a_file_as_people_write_it_becomes_plain_values() -> None:
    # when
    value = plain(read(SAMPLE, name="advance.yaml"))

    # then
    assert value == {
        "definition": "advance",
        "language": 1,
        "title": {"vi": "Tạm ứng", "en": "Advance"},
        "fields": {"amount_vnd": {"type": "money", "required": True}},
        "states": {
            "requested": {
                "deadline": {
                    "within": "5 wd",
                    "ladder": [{"at": "-2 wd", "to": ["holder"]}, {"at": 0, "to": ["holder"]}],
                },
                "note": "Hai dòng\nvăn bản\n",
            },
            "paid": {"final": "accepted", "holder": None},
        },
    }


def test_each_node_and_key_knows_its_place() -> None:
    # given
    states = read(SAMPLE, name="advance.yaml").entries["states"]

    # when
    paid = states.node.entries["paid"]

    # then
    assert (states.line, states.column) == (7, 1)
    assert (paid.line, paid.column) == (17, 3)
    assert (paid.node.line, paid.node.column) == (17, 9)
    assert paid.node.entries["final"].node.value == "accepted"


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("True", "True"), ("NULL", "NULL"),
        ("0", 0), ("-7", -7), ("+7", 7), ("010", 10), ("999999999999999999", 999_999_999_999_999_999),
        ("0x1F", "0x1F"), ("0o17", "0o17"), ("1_000", "1_000"), ("12:30", "12:30"),
        ("190:20:30", "190:20:30"),
        ("2026-06-20", "2026-06-20"), ("06-20", "06-20"), ("1.000.000", "1.000.000"), ("5 wd", "5 wd"),
        ("'1.5'", "1.5"), ('"true"', "true"), ("'0'", "0"), ("=", "="), ("e5", "e5"),
    ],
)  # fmt: skip
def test_only_words_of_yaml_1_2_mean_something_else_than_themselves(word: str, value: object) -> None:
    # when
    found = read(f"a: {word}\n", name="f").entries["a"].node.value

    # then
    assert found == value
    assert type(found) is type(value)


def test_keys_are_always_text() -> None:
    assert plain(read("2026: a\non: b\ntrue: c\nnull: d\n'1.5': e\n", name="f")) == {
        "2026": "a", "on": "b", "true": "c", "null": "d", "1.5": "e",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", b"", b"\xef\xbb\xbf", "---\n"])
def test_an_empty_file_is_null(text: str | bytes) -> None:
    assert plain(read(text, name="f")) is None


def test_bytes_with_a_byte_order_mark_and_windows_line_ends_read_like_text() -> None:
    assert plain(read(b"\xef\xbb\xbfa: 1\r\nb: \xc4\x91\r\n", name="f")) == {"a": 1, "b": "đ"}


@pytest.mark.parametrize(
    ("text", "why", "line", "column"),
    [
        ("a: 1.5", "float", 1, 4),
        ("a: 1e5", "float", 1, 4),
        ("a: .5", "float", 1, 4),
        ("a: -.INF", "float", 1, 4),
        ("a: .nan", "float", 1, 4),
        ("a: 1.", "float", 1, 4),
        ("a: 1000000000000000000", "big_number", 1, 4),
        ("a: " + "9" * 5000, "big_number", 1, 4),
        ("a: 1\nb: 2\na: 3", "duplicate_key", 3, 1),
        ("a: {b: 1, 'b': 2}", "duplicate_key", 1, 11),
        ("a: &x 1\nb: 2", "reference", 1, 4),
        ("a: *x", "reference", 1, 4),
        ("*x : 1", "reference", 1, 1),
        ("a:\n  <<: {b: 1}", "reference", 2, 3),
        ("a: !!str 1", "tag", 1, 4),
        ("a: !!python/object/apply:os.system ['id']", "tag", 1, 4),
        ("! a", "tag", 1, 1),
        ("%YAML 1.1\n---\na: 1", "directive", 1, 1),
        ("a: 1\n---\nb: 1", "second_document", 2, 1),
        ("? [a]\n: b", "key_not_text", 1, 3),
        ("? {a: 1}\n: b", "key_not_text", 1, 3),
        ('"a\\nb": 1', "key_not_text", 1, 1),
        ("a: 1\n'': 2", "key_not_text", 2, 1),
        ("a: 'x", "grammar", 1, 6),
        ("a: 1\n\tb: 2", "grammar", 2, 1),
        ("a: b: c", "grammar", 1, 5),
        ("a: [1\nb: 2", "grammar", 2, 2),
        ("a: 1\nb: \x00", "hidden_character", 2, 4),
        ("a: x\u202ey", "hidden_character", 1, 5),
        ("a: x\u200by", "hidden_character", 1, 5),
        ("a: x\x85y", "hidden_character", 1, 5),
        ("a: x\ud800", "hidden_character", 1, 5),
        ("a: b\nc: \ufeffd", "hidden_character", 2, 4),
        ('a: "\\u202E"', "hidden_character", 1, 4),
        ('"\\0": 1', "hidden_character", 1, 1),
        (b"a: 1\nb: \xff", "not_utf8", 2, 4),
        (b"\xff\xfea\x00", "not_utf8", 1, 1),
        ("[" * 1000, "too_deep", 1, LIMIT_DEPTH + 1),
        ("- " * 1000 + "a", "too_deep", 1, 2 * LIMIT_DEPTH + 1),
        ("{a: " * 1000, "too_deep", 1, 4 * LIMIT_DEPTH + 1),
        ("x" * (LIMIT_BYTES + 1), "too_big", 1, 1),
        ("đ" * (LIMIT_BYTES // 2 + 1), "too_big", 1, 1),
    ],
)
def test_what_is_not_taken_is_refused_where_it_stands(
    text: str | bytes, why: str, line: int, column: int
) -> None:
    # when
    problem = refused(text)

    # then
    assert (problem.facts["why"], problem.facts["line"], problem.facts["column"]) == (why, line, column)
    assert problem.sentence("vi").startswith(f"tệp.yaml, dòng {line}, cột {column}: ")
    assert problem.sentence("en").startswith(f"tệp.yaml, line {line}, column {column}: ")
    assert "Hãy" in problem.sentence("vi")
    assert "{" not in problem.sentence("vi").replace("{a", "")
    assert len(problem.sentence("en")) < 400


def test_the_greatest_depth_is_taken() -> None:
    # given
    text = "[" * LIMIT_DEPTH + "]" * LIMIT_DEPTH

    # when
    value = plain(read(text, name="f"))

    # then
    for _ in range(LIMIT_DEPTH - 1):
        assert len(value) == 1
        value = value[0]
    assert value == []


def test_damaged_files_are_read_or_refused_and_nothing_else() -> None:
    # given
    seed = REPEAT or random.SystemRandom().randrange(2**32)
    print(f"seed {seed}: set REPEAT to it to see the same run again", file=sys.stderr)
    dice = random.Random(seed)
    pieces = [
        b"\x00", b"\xff", b"\t", b"\n", b"- ", b": ", b"? ", b"[", b"]", b"{", b"}", b"&a ", b"*a", b"!!int ",
        b"!", b"<<: ", b"'", b'"', b"|\n", b">", b"%", b"---\n", b"...\n", b"#", b"\xe2\x80\xae",
        b"\xef\xbb\xbf", b"1e9", b"0.1", b"\\", b",", b"\r", b"`", b"@",
        b"9" * 40, b"\xf4\x90\x80\x80",
        b"\xed\xa0\x80", b"\\u202e",
    ]  # fmt: skip
    counts = {"read": 0, "refused": 0}
    places = set()

    # when
    for _ in range(300 * MORE):
        text = bytearray(SAMPLE.encode())
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(text))
            change = dice.randrange(4)
            if change == 0:
                text[at:at] = dice.choice(pieces)
            elif change == 1:
                del text[at : at + dice.randint(1, 20)]
            elif change == 2:
                text[at] = dice.randrange(256)
            else:
                text[at:at] = text[dice.randrange(len(text)) :][: dice.randint(1, 60)]
        try:
            plain(read(bytes(text), name="hỏng.yaml"))
            counts["read"] += 1
        except YamlRefused as problem:
            places.add((problem.facts["line"], problem.facts["column"]))
            counts["refused"] += 1

    # then
    print(counts, file=sys.stderr)
    assert min(places) >= (1, 1)
    assert counts["read"] > 10
    assert counts["refused"] > 10
