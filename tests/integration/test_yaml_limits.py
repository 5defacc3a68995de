"""The largest texts that are looked at: none keeps its reader waiting."""

from __future__ import annotations

import time

import pytest

from engine.yaml_text import LIMIT_NODES, YamlRefused, read


@pytest.mark.parametrize(
    "text",
    [
        "[" + "a," * 131_000 + "]",
        "a: |\n" + " \n" * 130_000,
        "'" + "''" * 131_000 + "'",
        "? " + "a " * 130_000,
        "{a," * 39 + "a," * 130_000,
        "- " * 30 + "\n",
        "&" * 262_000,
        "a:" * 131_000,
        '"' + "\\x41" * 65_000 + '"',
    ],
    ids=lambda text: text[:12],
)
def test_no_text_within_the_limit_takes_a_second(text: str) -> None:
    # when
    began = time.thread_time()
    try:
        read(text, name="f")
    except YamlRefused as refusal:
        print(refusal)
    took = time.thread_time() - began

    # then
    assert took < 1


def test_more_parts_than_a_file_may_have_are_refused_where_the_first_too_many_stands() -> None:
    # given
    text = "[" + "a," * LIMIT_NODES + "]"

    # when
    with pytest.raises(YamlRefused) as caught:
        read(text, name="tệp.yaml")

    # then
    facts = caught.value.facts
    assert (facts["why"], facts["line"], facts["column"]) == ("too_many", 1, 2 * (LIMIT_NODES - 3) + 2)
    assert "Hãy" in caught.value.sentence("vi")
    assert len(caught.value.sentence("en")) < 400
