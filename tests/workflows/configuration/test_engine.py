from __future__ import annotations

from collections.abc import Iterator

from service.workflows.configuration import notify, ownership, rules, spend
from service.workflows.configuration.engine import ResourceKind
from service.workflows.ports.configuration import Configuration


class Rows:
    """A configuration that says under which name, and of which class, a store was asked for."""

    def resources(self, kind: str, spec: object) -> tuple[str, object]:
        return kind, spec


def kinds() -> Iterator[ResourceKind[object]]:
    for module in (spend, rules, notify, ownership):
        for made in vars(module).values():
            is_kind = isinstance(made, type) and issubclass(made, ResourceKind)
            if is_kind and made.__module__ == module.__name__:
                yield made()


def test_workflows_read_by_name_the_rows_that_a_kind_writes() -> None:
    written = {(kind.noun, kind.spec) for kind in kinds()}
    properties = [part for part in vars(Configuration).values() if isinstance(part, property)]
    named = {part.fget(Rows()) for part in properties if part.fget is not None}
    assert len(named) > 10
    assert named <= written


def test_no_two_kinds_have_the_same_rows_or_ids() -> None:
    nouns, prefixes = [kind.noun for kind in kinds()], [kind.prefix for kind in kinds()]
    assert len(nouns) == len(set(nouns)) == len(set(prefixes))
