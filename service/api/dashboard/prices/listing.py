"""`/pages/prices`: what has no price, one's own prices, and what applies to the models that were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from fastapi import APIRouter
from fastapi.responses import Response

from service.api.dashboard.documents.listing import ResourceLine
from service.api.dashboard.documents.pages import led_to
from service.api.dashboard.layout import dashboard_page
from service.api.dashboard.paging import RUNNING_FIRST, AskedPartDep
from service.api.dashboard.prices.editing import MEASURES, begun
from service.api.dashboard.session import AdministeringDep, SignedInDep, our_page
from service.api.dashboard.spend.frame import AREAS, PLACE, PRICES
from service.api.http.deps import IdOrName, NowDep, PortsDep, UowDep
from service.api.http.listing import part_by_place
from service.domain.access import Role
from service.domain.sources.pricing import Measure, PriceBook, PriceOverride, canonical_model
from service.domain.values.errors import Conflict
from service.domain.values.money import Money
from service.domain.values.plain_text import minute, scaled
from service.domain.values.resources import Resource
from service.workflows.configuration.spend import end_price
from service.workflows.ports.unit_of_work import UnitOfWork

router = APIRouter(include_in_schema=False)

PAGE = 50
_TOKENS = tuple(measure for measure in Measure if measure is not Measure.WEB_SEARCH)
_QUANTITIES = {1: "each", 1_000: "a thousand", 1_000_000: "a million"}


class PriceState(StrEnum):
    """How a price of one's own stands, in the order of the list."""

    APPLIES = "applies"
    REPLACED = "a later one counts"
    AHEAD = "begins later"
    OVER = "over"


_TONES = {
    PriceState.APPLIES: "calm",
    PriceState.REPLACED: "warning",
    PriceState.AHEAD: "info",
    PriceState.OVER: "quiet",
}


@router.head(PRICES)  # probes ask so
@router.get(PRICES)
async def list_prices(caller: SignedInDep, ports: PortsDep, uow: UowDep, now: NowDep, part: AskedPartDep) -> Response:
    own = await uow.prices.readable()
    book = ports.price_book([price.spec for price in own])
    unpriced = await _unpriced_tokens(uow)
    found = part_by_place("prices by how they stand", _in_order(own, book, now), PAGE, part.cursor)
    content = {
        "areas": AREAS,
        "area": PRICES,
        "unpriced": [_lacking(model, tokens, book, now) for model, tokens in unpriced.items() if tokens],
        "lines": [_line(one, book, now, caller.role) for one in found.items],
        "part": part.links(PRICES, found, RUNNING_FIRST),
        "models": [(model, _rates(model, book, now)) for model in unpriced if model],
        "may_write": caller.role.allows(Role.ADMIN),
    }
    return dashboard_page("prices.html.j2", PLACE, caller, content)


@router.post(f"{PRICES}/{{id}}/end", dependencies=[our_page])
async def end_own_price(uow: UowDep, author: AdministeringDep, id: IdOrName) -> Response:
    """Ends it; one that is over already is left as it is."""
    try:
        await end_price(uow, id, author)
    except Conflict:
        return led_to(PRICES)
    return led_to(PRICES)


async def _unpriced_tokens(uow: UnitOfWork) -> dict[str, int]:
    """Returns the models of all sources by their names without dates, each with its tokens that have no price."""
    found: dict[str, int] = {}
    for source in await uow.sources.readable():
        for model in await uow.directory.models(source.id):
            name = canonical_model(model.id)
            found[name] = found.get(name, 0) + model.unpriced_tokens
    return dict(sorted(found.items()))


def _lacking(model: str, tokens: int, book: PriceBook, now: datetime) -> Mapping[str, object]:
    month = f"{now:%Y-%m}-01T00:00:00Z"
    lacks = [measure for measure in _TOKENS if book.applied(model, measure, now) is None]
    return {
        "model": model,
        "tokens": scaled(tokens),
        "forms": [(MEASURES[measure], begun(model, measure, month)) for measure in lacks],
    }


def _in_order(own: Sequence[Resource[PriceOverride]], book: PriceBook, now: datetime) -> list[Resource[PriceOverride]]:
    order = list(PriceState)
    newest = sorted(own, key=lambda one: one.id, reverse=True)
    return sorted(newest, key=lambda one: order.index(_state(one.spec, book, now)))


def _state(price: PriceOverride, book: PriceBook, now: datetime) -> PriceState:
    if price.valid_to is not None and price.valid_to <= now:
        return PriceState.OVER
    if price.valid_from > now:
        return PriceState.AHEAD
    applied = book.applied(price.model, price.measure, now)
    return PriceState.APPLIES if applied and applied.override is price else PriceState.REPLACED


def _line(price: Resource[PriceOverride], book: PriceBook, now: datetime, role: Role) -> ResourceLine:
    spec, state = price.spec, _state(price.spec, book, now)
    may_end = state in (PriceState.APPLIES, PriceState.REPLACED) and role.allows(Role.ADMIN)
    start = minute(spec.valid_from)
    return ResourceLine(
        name=price.name,
        address=f"{PRICES}/{price.id}/edit",
        lines=[
            f"{spec.model}, {MEASURES[spec.measure].lower()}: {_rate(spec.usd, spec.per)}",
            f"{start} to {minute(spec.valid_to)}" if spec.valid_to else f"From {start} on",
        ],
        tone=_TONES[state],
        word=state.value,
        acts=[(f"{PRICES}/{price.id}/end", "End it now")] if may_end else [],
    )


def _rates(model: str, book: PriceBook, now: datetime) -> list[tuple[str, str, str]]:
    """Returns what a million of each kind of token costs: its words, dollars, and since when or whose it is."""
    found = []
    for measure in _TOKENS:
        applied = book.applied(model, measure, now)
        if applied is not None:
            since = [f"since {applied.since:%Y-%m-%d}"] if applied.since else []
            whose = ["yours"] if applied.override else []
            million = Money.rounded(applied.usd * 1_000_000 / applied.per).in_full()
            found.append((MEASURES[measure], million, ", ".join([*whose, *since])))
    return found


def _rate(usd: Decimal, per: int) -> str:
    return f"{Money.rounded(usd).in_full()} {_QUANTITIES.get(per, f'for {per:,}')}"
