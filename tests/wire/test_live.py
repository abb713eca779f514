"""Live documents: what the owner changes is what the receiver holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.live import Json, Replica, RevisionGap, Source, merge_apply, merge_diff

leaves = st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=3))
documents = st.dictionaries(
    st.text(max_size=3),
    st.recursive(leaves, lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=4), max_leaves=8),
    max_size=5,
)


@given(documents, documents)
def test_a_diff_applied_gives_the_new_document(old: Json, new: Json) -> None:
    assert merge_apply(old, merge_diff(old, new)) == new


@given(documents, st.lists(documents, max_size=5))
def test_a_replica_follows_its_source(first: Json, later: list[Json]) -> None:
    source, replica = Source("t", first), Replica()
    replica.apply(source.snapshot())
    for state in later:
        patch = source.update(state)
        if patch:
            replica.apply(patch)
        assert replica.data == state


def test_a_lost_patch_is_noticed() -> None:
    source, replica = Source("t", {}), Replica()
    replica.apply(source.snapshot())
    source.update({"a": 1})
    second = source.update({"a": 2})
    assert second is not None
    with pytest.raises(RevisionGap):
        replica.apply(second)
