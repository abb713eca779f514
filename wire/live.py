"""Live documents: a snapshot, then patches with a revision.

A document is a JSON object. A patch is an RFC 7396 merge patch from revision `revision - 1` to `revision`; a receiver
that sees a gap asks for a new snapshot. Documents hold no nulls (absent means default), so merge patches lose nothing;
lists are replaced whole, hence collections are objects keyed by id.
"""

from __future__ import annotations

from typing import Any

import msgspec

Json = dict[str, Any]


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="type"):
    """The whole document of `topic`."""

    topic: str
    revision: int
    data: Json


class Patch(msgspec.Struct, frozen=True, tag="patch", tag_field="type"):
    """The change of `topic` that makes `revision`."""

    topic: str
    revision: int
    data: Json


Change = Snapshot | Patch


class RevisionGap(Exception):
    """A patch does not follow the revision held; ask for a snapshot."""


def merge_diff(old: Json, new: Json) -> Json:
    """The RFC 7396 merge patch from `old` to `new`; empty when they are equal."""
    patch: Json = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if before == value and key in old:
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            patch[key] = merge_diff(before, value)
        else:
            patch[key] = value
    return patch


def merge_apply(document: Json, patch: Json) -> Json:
    """`document` with the RFC 7396 `patch` applied; neither argument is changed."""
    merged = dict(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            before = merged.get(key)
            merged[key] = merge_apply(before if isinstance(before, dict) else {}, value)
        else:
            merged[key] = value
    return merged


class Source:
    """The owner's side of a live document: give it the new state, get the patch to send (or None)."""

    def __init__(self, topic: str, data: Json | None = None) -> None:
        self.topic = topic
        self._data: Json = data or {}
        self._revision = 1

    def snapshot(self) -> Snapshot:
        """The document as it is now."""
        return Snapshot(self.topic, self._revision, self._data)

    def update(self, document: msgspec.Struct | Json) -> Patch | None:
        """Make `document` the current state; the patch that says what changed, None where nothing did."""
        data: Json = msgspec.to_builtins(document, str_keys=True)
        patch = merge_diff(self._data, data)
        if not patch:
            return None
        self._data = data
        self._revision += 1
        return Patch(self.topic, self._revision, patch)


class Replica:
    """The receiver's side of a live document."""

    def __init__(self) -> None:
        self.data: Json = {}
        self._revision: int | None = None

    def apply(self, change: Change) -> Json:
        """Take a snapshot or the next patch. Raises RevisionGap."""
        if isinstance(change, Snapshot):
            self.data = change.data
        elif self._revision is None or change.revision != self._revision + 1:
            raise RevisionGap(f"{change.topic}: have {self._revision}, got a patch to {change.revision}")
        else:
            self.data = merge_apply(self.data, change.data)
        self._revision = change.revision
        return self.data
