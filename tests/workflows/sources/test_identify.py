"""An organisation is read by one enabled source: read by two, all of it would be counted twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from service.domain.sources.poll import Poll, PollState
from service.domain.sources.source import ReportName, Source
from service.domain.values.errors import Conflict
from service.domain.values.money import Money
from service.domain.values.resources import Resource
from service.workflows.configuration.engine import SYSTEM, Author
from service.workflows.configuration.probe import run_check_source
from service.workflows.configuration.spend import Sources
from service.workflows.ports.sources import Organization, SourceError
from service.workflows.sources.backfill import request_backfill
from tests.fakes.ports import FakeSource
from tests.workflows.yard import DAY, HOUR, MINUTE, Yard, billed

YESTERDAY = date(2026, 11, 15)
AWAY = SourceError("away", retryable=True)


async def add_twin(yard: Yard, name: str = "twin") -> tuple[Resource[Source], FakeSource]:
    """A source with another key for the organisation that the yard's own source reads."""
    yard.clock.advance(MINUTE)  # ids tell which of two is the older
    twin, reader = await yard.add_source(name)
    reader.named = yard.reader.named
    for one in (yard.reader, reader):
        one.bill(YESTERDAY, billed("3.00"))
    return twin, reader


async def known_workspaces(yard: Yard) -> list[str]:
    async with yard.ports.uow() as uow:
        sources = await uow.sources.all()
        return [one.id for source in sources for one in await uow.directory.workspaces(source.id)]


async def away() -> None:
    raise AWAY


def errors(poll: Poll) -> list[str]:
    return [outcome.error for outcome in poll.reports if outcome.error]


async def test_the_first_poll_of_a_second_source_stores_nothing_and_says_why(yard: Yard) -> None:
    twin, reader = await add_twin(yard)
    await yard.poll()
    refused = await yard.poll(twin)
    assert refused.state is PollState.FAILED
    (error,) = errors(refused)
    assert "'claude' reads the same organisation, Example Inc" in error
    assert "Disable or delete" in error
    state = await yard.state(twin)
    assert (state.last_error, state.failures, state.organization_id) == (error, 1, None)
    assert reader.reads == []  # not even asked
    assert await yard.spend(YESTERDAY, twin) == {}
    assert await known_workspaces(yard) == ["default"]


async def test_of_two_first_polls_at_once_one_wins(yard: Yard) -> None:
    twin, reader = await add_twin(yard)
    both_asked = asyncio.Barrier(2)
    yard.reader.naming = reader.naming = both_asked.wait
    async with asyncio.timeout(20):
        polls = await asyncio.gather(yard.poll(), yard.poll(twin))
    assert sorted(poll.state for poll in polls) == [PollState.DONE, PollState.FAILED]
    spent = [await yard.spent(YESTERDAY), await yard.spent(YESTERDAY, twin)]
    assert sorted(spent) == [Money.of("0"), Money.of("3.00")]


async def test_a_backfill_before_the_first_poll_is_refused_as_well(yard: Yard) -> None:
    twin, reader = await add_twin(yard)
    await yard.poll()
    async with yard.ports.uow() as uow:
        past = await request_backfill(uow, twin.id, yard.clock() - 5 * DAY, yard.clock())
    await yard.settle()
    assert (await yard.see(past)).state is PollState.FAILED
    assert ReportName.COST not in [report for report, _ in reader.reads]
    assert await yard.spend(YESTERDAY, twin) == {}


async def test_a_backfill_before_the_first_poll_identifies_its_source(yard: Yard) -> None:
    yard.reader.bill(YESTERDAY, billed("3.00"))
    async with yard.ports.uow() as uow:
        past = await request_backfill(uow, yard.source.id, yard.clock() - 5 * DAY, yard.clock())
    await yard.settle()
    assert (await yard.see(past)).state is PollState.DONE
    assert (await yard.state()).organization_id == "org_FAKE"
    assert await yard.spent(YESTERDAY) == Money.of("3.00")


async def test_a_refused_source_takes_over_when_the_other_one_is_disabled(yard: Yard) -> None:
    twin, _ = await add_twin(yard)
    await yard.poll()
    await yard.poll(twin)
    first = await yard.change(Sources(), yard.source, replace(yard.source.spec, enabled=False))
    assert (await yard.poll(twin)).state is PollState.DONE
    assert await yard.spent(YESTERDAY, twin) == Money.of("3.00")
    with pytest.raises(Conflict, match="'twin' reads the same organisation"):
        await yard.change(Sources(), first, replace(first.spec, enabled=True))


async def test_nothing_is_stored_before_the_organisation_is_known_and_its_absence_later_does_no_harm(
    yard: Yard,
) -> None:
    yard.reader.bill(YESTERDAY, billed("3.00"))
    yard.reader.naming = away
    assert errors(await yard.poll()) == ["away"]
    assert await yard.spend(YESTERDAY) == {}
    yard.reader.naming = None
    await yard.poll()
    yard.reader.naming = away
    yard.reader.bill(YESTERDAY, billed("4.00"))
    yard.clock.advance(60 * MINUTE)
    assert errors(await yard.poll()) == ["away"]  # the directory's
    assert await yard.spent(YESTERDAY) == Money.of("4.00")


async def test_names_that_cannot_be_read_do_not_keep_the_bill_away(yard: Yard) -> None:
    yard.reader.bill(YESTERDAY, billed("3.00"))
    yard.reader.refusals[ReportName.DIRECTORY] = AWAY
    await yard.poll()
    assert await yard.spent(YESTERDAY) == Money.of("3.00")


async def test_another_key_is_asked_for_its_organisation_before_anything_is_stored(yard: Yard) -> None:
    """It belongs to the organisation that the other source has."""
    other, reader = await yard.add_source("other")
    await yard.poll()
    await yard.poll(other)
    reader.named = yard.reader.named
    reader.bill(YESTERDAY, billed("3.00"))
    key = yard.ports.vault.seal("sk-ant-admin01-FAKE-another")
    await yard.change(Sources(), other, replace(other.spec, admin_key=key))
    assert "reads the same organisation" in errors(await yard.poll(other))[0]
    assert await yard.spent(YESTERDAY, other) == Money.of("0")


async def test_a_rotated_key_keeps_the_organisation_from_a_source_that_waits_for_it(yard: Yard) -> None:
    twin, _ = await add_twin(yard)
    await yard.poll()
    key = yard.ports.vault.seal("sk-ant-admin01-FAKE-rotated")
    await yard.change(Sources(), yard.source, replace(yard.source.spec, admin_key=key))
    assert (await yard.poll(twin)).state is PollState.FAILED
    assert (await yard.poll()).state is PollState.DONE


async def test_a_key_of_another_organisation_takes_nothing_of_the_stored_bills_back(yard: Yard) -> None:
    """A key pasted from the wrong Console: its days would replace the newest ones, and budgets would seem spared."""
    yard.reader.bill(YESTERDAY, billed("3.00"))
    await yard.poll()
    right, own = yard.source.spec, yard.reader.named
    wrong = replace(right, admin_key=yard.ports.vault.seal("sk-ant-admin01-FAKE-wrong"))
    yard.source = await yard.change(Sources(), yard.source, wrong)
    yard.reader.named = Organization("org_WRONG", "Wrong Ltd")
    yard.reader.bill(YESTERDAY)
    for _ in range(2):
        assert "belongs to the organisation Wrong Ltd, and what is stored here" in errors(await yard.poll())[0]
    checked = await run_check_source(yard.ports, yard.source.id, Author(SYSTEM, yard.clock()))
    assert checked.error is not None
    assert "nothing of the two is mixed" in checked.error
    assert (await yard.poll()).state is PollState.FAILED
    assert await yard.spent(YESTERDAY) == Money.of("3.00")

    yard.source = await yard.change(Sources(), yard.source, right)
    yard.reader.named = own
    yard.reader.bill(YESTERDAY, billed("3.50"))
    assert (await yard.poll()).state is PollState.DONE
    assert await yard.spent(YESTERDAY) == Money.of("3.50")


async def test_a_source_that_was_disabled_meanwhile_goes_over_to_the_organisation_of_its_new_key(yard: Yard) -> None:
    await yard.poll()
    yard.reader.named = Organization("org_NEXT", "Next Ltd")
    spec = replace(yard.source.spec, admin_key=yard.ports.vault.seal("sk-ant-admin01-FAKE-next"))
    stored = await yard.change(Sources(), yard.source, spec)
    assert (await yard.poll()).state is PollState.FAILED
    for enabled in (False, True):
        stored = await yard.change(Sources(), stored, replace(spec, enabled=enabled))
    assert (await yard.poll()).state is PollState.DONE


async def test_a_source_that_has_read_nothing_yet_takes_a_key_of_any_organisation(yard: Yard) -> None:
    yard.reader.refusals[ReportName.COST] = AWAY
    await yard.poll()
    yard.reader.refusals.clear()
    key = yard.ports.vault.seal("sk-ant-admin01-FAKE-corrected")
    await yard.change(Sources(), yard.source, replace(yard.source.spec, admin_key=key))
    yard.reader.named = Organization("org_OTHER", "Other Ltd")
    assert (await yard.poll()).state is PollState.DONE


async def test_an_organisation_whose_id_the_vendor_writes_in_another_way_is_still_read(yard: Yard) -> None:
    """The key is the same: whose it is was known."""
    await yard.poll()
    yard.reader.named = Organization("org-FAKE-2", yard.reader.named.name)
    yard.clock.advance(HOUR)
    assert (await yard.poll()).state is PollState.DONE
    assert (await yard.state()).organization_id == "org-FAKE-2"


async def test_a_poll_that_still_reads_with_an_old_key_stores_nothing(yard: Yard) -> None:
    yard.reader.bill(YESTERDAY, billed("3.00"))
    key = yard.ports.vault.seal("sk-ant-admin01-FAKE-rotated")
    spec = replace(yard.source.spec, admin_key=key)

    async def rotate(report: ReportName) -> None:
        if report is ReportName.COST:
            yard.reader.meanwhile = None
            await yard.change(Sources(), yard.source, spec)

    yard.reader.meanwhile = rotate
    assert (await yard.poll()).state is PollState.FAILED
    assert await yard.spend(YESTERDAY) == {}


async def test_of_two_that_read_one_organisation_already_the_older_one_goes_on(yard: Yard) -> None:
    twin, _ = await add_twin(yard)
    async with yard.ports.uow() as uow:
        for source in (yard.source, twin):
            state = await uow.polling_states.get(source.id)
            await uow.polling_states.save(replace(state, organization_id="org_FAKE", organization_name="Example Inc"))
    assert (await yard.poll(twin)).state is PollState.FAILED
    assert (await yard.poll()).state is PollState.DONE


async def test_a_check_says_that_another_source_reads_the_organisation(yard: Yard) -> None:
    twin, _ = await add_twin(yard)
    await yard.poll()
    checked = await run_check_source(yard.ports, twin.id, Author(SYSTEM, yard.clock()))
    assert checked.organization == yard.reader.named
    assert checked.error is not None
    assert "'claude' reads the same organisation" in checked.error
    assert (await yard.poll()).state is PollState.DONE  # the check has claimed nothing
    assert (await run_check_source(yard.ports, yard.source.id, Author(SYSTEM, yard.clock()))).error is None


async def test_a_disabled_source_that_was_checked_cannot_be_enabled_beside_the_other(yard: Yard) -> None:
    twin, _ = await add_twin(yard)
    disabled = await yard.change(Sources(), twin, replace(twin.spec, enabled=False))
    await yard.poll()
    await run_check_source(yard.ports, twin.id, Author(SYSTEM, yard.clock()))
    with pytest.raises(Conflict, match="'claude' reads the same organisation"):
        await yard.change(Sources(), disabled, replace(disabled.spec, enabled=True))
    # What its old key belonged to says nothing of another one's organisation.
    key = yard.ports.vault.seal("sk-ant-admin01-FAKE-another")
    enabled = await yard.change(Sources(), disabled, replace(disabled.spec, admin_key=key, enabled=True))
    assert enabled.spec.enabled
