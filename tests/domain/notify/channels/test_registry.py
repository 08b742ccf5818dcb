"""What the product asks of a channel whose key is all that it has."""

from __future__ import annotations

import pytest

from service.domain.notify.channels.registry import KINDS, traits_of
from service.domain.notify.channels.traits import Audience


@pytest.mark.parametrize("name", KINDS)
def test_a_key_leads_to_the_traits_of_its_kind(name: str) -> None:
    assert traits_of(f"{name}:1f2e3d4c5b6a") is KINDS[name].traits


def test_a_kind_of_another_release_has_no_traits() -> None:
    """Its notifications may still wait: they must neither stop a worker nor count as something that they are not."""
    traits = traits_of("pigeon:1f2e3d4c5b6a")
    assert (traits.actions, traits.kept_current, traits.repeated, traits.rate) == (frozenset(), False, False, None)


def test_what_pages_somebody_repeats_no_summary() -> None:
    on_call = [kind for kind in KINDS.values() if kind.traits.audience is Audience.ON_CALL]
    assert on_call
    assert not any(kind.traits.kept_current for kind in on_call)
