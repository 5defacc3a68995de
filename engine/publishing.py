"""Publishing a definition: a command of a person, with an entry of its own. Nothing is published by starting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import loader
from engine.commands import Register
from engine.errors import Refused, Words
from engine.execute import execute
from engine.registry import DefinitionUnknown

if TYPE_CHECKING:
    from engine.commands import Principal, Receipt
    from engine.engine import Engine
    from engine.loading import Known


class VersionTaken(Refused):
    """The same version was published with other content."""

    code = "version_taken"
    words = Words(
        "{name} phiên bản {version} đã công bố với nội dung khác. Tăng số phiên bản rồi công bố lại.",
        "{name} version {version} is published with other content. Raise the version and publish again.",
    )


def publish(engine: Engine, text: str, *, name: str, known: Known, principal: Principal) -> Receipt:
    """Publish a definition; the very same one again changes nothing.

    Shapes:
        name: of the file, for findings. known: what exists beside it, so that every name in it is checked.
    Errors:
        DefinitionRefused: all findings. VersionTaken: the version exists with other content. Nothing was published.
    """
    definition = loader.load(text, name=name, known=known)
    try:
        published = engine.definitions.version(definition.name, definition.version)
    except DefinitionUnknown:
        published = None
    if published is not None and published.hash != definition.hash:
        raise VersionTaken(name=definition.name, version=definition.version)
    receipt = execute(
        engine,
        Register(
            principal=principal,
            register="definition",
            values={
                "name": definition.name, "version": definition.version, "hash": definition.hash,
                "title": definition.title.vi,
            },
            text="" if published is not None else text,
        ),
    )  # fmt: skip
    engine.definitions.refresh()
    return receipt
