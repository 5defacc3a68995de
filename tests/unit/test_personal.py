from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.canonical import NotCanonical
from engine.personal import commit_value, is_commitment, match_hmac, verify
from tests.properties import tries

SUBJECT = "0" * 32


@tries(20)
@given(
    st.one_of(
        st.text(st.characters(categories=["L", "N"]), max_size=30), st.integers(0, 10**12), st.booleans()
    )
)
def test_an_opening_opens_its_commitment_and_no_other(value: str | int | bool) -> None:
    # when
    commitment, opening = commit_value("person.name", SUBJECT, value)
    # then
    assert is_commitment(commitment)
    assert verify(opening)
    assert not verify(opening._replace(value='"another"'))
    assert not verify(opening._replace(context="person.email"))
    assert not verify(opening._replace(salt=b"0" * 16))


def test_equal_values_give_different_commitments() -> None:
    commitments = {commit_value("person.phone", SUBJECT, "0901234567")[0] for _ in range(50)}
    assert len(commitments) == 50


def test_a_value_with_control_characters_is_refused() -> None:
    with pytest.raises(NotCanonical):
        commit_value("person.name", SUBJECT, "An\u202eB")


def test_a_match_key_ignores_case_and_signs_and_needs_the_secret() -> None:
    first = match_hmac("s1", "establishment.tax_code", "0123456789-001")
    assert first == match_hmac("s1", "establishment.tax_code", "0123456789 001")
    assert first != match_hmac("s2", "establishment.tax_code", "0123456789-001")
    assert first != match_hmac("s1", "person.tax_code", "0123456789-001")


@pytest.mark.parametrize("value", ["sha256:", "sha256:" + "g" * 64, "a" * 71, 7, None])
def test_what_only_looks_like_a_commitment_is_none(value: object) -> None:
    assert not is_commitment(value)
