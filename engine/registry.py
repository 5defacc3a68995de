"""Published definitions: immutable, by content hash, with the newest version of each name.

A case keeps the definition that it was opened under; published text is kept for ever. Publishing is a command of its
own (engine/publishing.py).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from engine import loader
from engine.errors import Broken, Refused, Words, perhaps
from engine.loading import Known

if TYPE_CHECKING:
    from engine.definition import Definition
    from engine.store import Store, Transaction


#: What a definition may read that is no case: it is locked by name.
OUTSIDE = frozenset({"plan", "establishment"})


class DefinitionUnknown(Refused):
    """No such definition is published."""

    code = "definition_unknown"
    words = Words(
        "Chưa công bố quy trình “{name}”.{hint}Đã công bố: {known}. Công bố bằng lệnh `tiendo publish`.",
        "No definition “{name}” is published.{hint}Published: {known}. Publish with `tiendo publish`.",
    )


class DefinitionMissing(Broken):
    """A case is pinned to a definition that the store does not hold."""

    code = "definition_missing"
    words = Words(
        "Kho thiếu định nghĩa {hash} mà hồ sơ đang dùng. Khôi phục từ bản sao lưu.",
        "The store lacks definition {hash}, which cases are pinned to. Restore a backup.",
    )


class Definitions:
    """The definitions of one store, loaded when first asked for and kept: a hash never changes its meaning."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded: dict[str, Definition] = {}
        self._newest: dict[str, str] = {}
        self._count = 0
        self._watched: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()
        self.refresh()

    def refresh(self) -> None:
        """Look at what is published now; who publishes calls it, other processes when a hash is new to them."""
        with self._store.look() as tx:
            rows = tx.run("SELECT hash, name, version FROM published WHERE kind = 'definition'")
        newest: dict[str, tuple[int, str]] = {}
        for found, name, version in rows:
            newest[name] = max(newest.get(name, (0, "")), (version, found))
        self._newest = {name: found for name, (_, found) in newest.items()}
        self._count = len(rows)
        # A new version of a child may look at more than the one before.
        self._watched = {}

    def keep_in_step(self, tx: Transaction) -> None:
        """Look again when another process has published something: a new case opens under the newest version."""
        published = tx.run("SELECT count(*) FROM published WHERE kind = 'definition'")[0][0]
        if published != self._count:
            self.refresh()

    def names(self) -> tuple[str, ...]:
        """Return the names of all published definitions, sorted."""
        return tuple(sorted(self._newest))

    def newest(self, name: str) -> Definition:
        """Return the newest published version of a definition.

        Errors:
            DefinitionUnknown: with the nearest name.
        """
        if name not in self._newest:
            self.refresh()
        if name not in self._newest:
            hint = perhaps(name, self._newest)
            raise DefinitionUnknown(name=name, hint=hint, known=", ".join(self.names()) or "—")
        return self.by_hash(self._newest[name])

    def version(self, name: str, version: int) -> Definition:
        """Return one version of a definition.

        Errors:
            DefinitionUnknown: that version is not published.
        """
        with self._store.look() as tx:
            found = tx.run(
                "SELECT hash FROM published WHERE kind = 'definition' AND name = :name AND version = :version",
                {"name": name, "version": version},
            )
        if not found:
            raise DefinitionUnknown(name=f"{name} v{version}", hint=" ", known=", ".join(self.names()))
        return self.by_hash(found[0][0])

    def watchers_read(self, definition: Definition) -> frozenset[str]:
        """Return what lies outside the family and is looked at by children that move by themselves when this case moves."""
        known = self._watched.get(definition.hash)
        if known is None:
            below = (self.newest(name) for name in definition.children if name in self._newest)
            reads = (one.reads for one in below if _moves_with_parent(one))
            known = self._watched[definition.hash] = frozenset[str]().union(*reads) & OUTSIDE
        return known

    def by_hash(self, found: str) -> Definition:
        """Return the definition of a content hash.

        Errors:
            DefinitionMissing: the store does not hold it.
        """
        known = self._loaded.get(found)
        if known is None:
            with self._lock:
                known = self._loaded.get(found) or self._load(found)
                self._loaded[found] = known
        return known

    def _load(self, found: str) -> Definition:
        with self._store.look() as tx:
            rows = tx.run("SELECT name, text FROM published WHERE hash = :hash", {"hash": found})
        if not rows:
            raise DefinitionMissing(hash=found)
        name, text = rows[0]
        return loader.load(text, name=name, known=Known(published=True))


def _moves_with_parent(definition: Definition) -> bool:
    """Whether a case of this definition may take a move by itself because of what its parent says."""
    triggers = (one for state in definition.states.values() for one in state.triggers.values())
    return "parent" in definition.reads and any(one.when is not None for one in triggers)
