"""Takes the forms of the first steps. Each comes back with what is wrong, and leads on where nothing is."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import JsonValue

from service.api.budgets.budgets import BudgetShape
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.documents.reading import read_document
from service.api.dashboard.documents.refused import TAKEN_BACK, FormRefused, flaws_of
from service.api.dashboard.documents.writing import stored_document, write_document
from service.api.dashboard.forms import FormDep
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.dashboard.start.forms import BUDGET_PARTS, KEY_PARTS, NEW_SOURCE, of_the_channel, receiver_document
from service.api.dashboard.start.page import START, StepAnswer, start_page
from service.api.http.deps import PortsDep, UowDep, in_one_transaction
from service.api.notify.receivers import ReceiverShape
from service.api.sources.sources import SourceShape
from service.domain.access import Caller
from service.domain.sources.source import Source
from service.domain.values.resources import Resource
from service.workflows.configuration.notify import Receivers
from service.workflows.configuration.probe import run_check_source, run_test_receiver
from service.workflows.configuration.spend import Budgets, Sources
from service.workflows.operation.first_run import first_run, run_begin, send_all_to
from service.workflows.ports.unit_of_work import Ports, UnitOfWork

router = APIRouter(include_in_schema=False)


@router.post(f"{START}/key", dependencies=[our_page])
async def take_key(caller: SignedInDep, ports: PortsDep, author: AdministeringDep, form: FormDep) -> Response:
    """Stores the key on a source that is off, asks the vendor what it may read, and only then begins to poll."""

    async def stored(uow: UnitOfWork) -> Resource[Source]:
        source = (await first_run(uow, author.at)).source
        before = await stored_document(SourceShape(), uow, source, author) if source else NEW_SOURCE
        document = read_document(KEY_PARTS, form, before)
        try:
            return await write_document(ports, uow, Sources(), SourceShape(), document, source, author)
        except TAKEN_BACK as error:
            answer = StepAnswer("key", document, flaws_of(error))
            raise FormRefused(await start_page(ports, uow, caller, author.at, answer)) from error

    source = await in_one_transaction(ports, stored)
    check = await run_check_source(ports, source.id, author)
    if check.error is None:
        await run_begin(ports, source.id, author)
        return led_to(f"{START}#read")
    answer = StepAnswer("key", {**NEW_SOURCE, "name": source.name, "base_url": source.spec.base_url}, {"": check.error})
    return await _again(ports, caller, author.at, answer)


@router.post(f"{START}/budget", dependencies=[our_page])
async def take_budget(
    caller: SignedInDep, ports: PortsDep, uow: UowDep, author: AdministeringDep, form: FormDep
) -> Response:
    source = (await first_run(uow, author.at)).source
    owner: dict[str, JsonValue] = {"source": source.id} if source else {}
    document = read_document(BUDGET_PARTS, form, owner)
    try:
        await write_document(ports, uow, Budgets(), BudgetShape(), document, None, author)
    except TAKEN_BACK as error:
        answer = StepAnswer("budget", document, flaws_of(error))
        raise FormRefused(await start_page(ports, uow, caller, author.at, answer)) from error
    return led_to(f"{START}#slack")


@router.post(f"{START}/slack", dependencies=[our_page])
async def take_slack(
    caller: SignedInDep, ports: PortsDep, uow: UowDep, author: AdministeringDep, form: FormDep
) -> Response:
    """Stores the receiver, and makes it the one that takes what no other route does."""
    said, document = receiver_document(form)
    try:
        receiver = await write_document(ports, uow, Receivers(), ReceiverShape(), document, None, author)
    except TAKEN_BACK as error:
        answer = StepAnswer("slack", said, of_the_channel(flaws_of(error)))
        raise FormRefused(await start_page(ports, uow, caller, author.at, answer)) from error
    await send_all_to(uow, receiver, author)
    return led_to(f"{START}#test")


@router.post(f"{START}/test", dependencies=[our_page])
async def send_test(caller: SignedInDep, ports: PortsDep, author: AdministeringDep) -> Response:
    """Sends a sample outside any transaction, and shows what the channels say."""

    async def receiver_id(uow: UnitOfWork) -> str | None:
        receiver = (await first_run(uow, author.at)).receiver
        return receiver.id if receiver else None

    id = await in_one_transaction(ports, receiver_id)
    if id is None:
        return led_to(f"{START}#slack")
    tests = await run_test_receiver(ports, id, author)
    return await _again(ports, caller, author.at, StepAnswer("test", tests=tests))


async def _again(ports: Ports, caller: Caller, now: datetime, answer: StepAnswer) -> Response:
    async def shown(uow: UnitOfWork) -> Response:
        return await start_page(ports, uow, caller, now, answer)

    return await in_one_transaction(ports, shown)
