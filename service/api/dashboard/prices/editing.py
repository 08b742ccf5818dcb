"""Adding a price of one's own, and changing one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from service.api.dashboard.documents.controls import Control, ControlKind, Document, Parts
from service.api.dashboard.documents.pages import ResourcePages, editing_router
from service.api.dashboard.spend.frame import PLACE, PRICES
from service.api.sources.prices import PriceShape
from service.domain.sources.pricing import Measure
from service.workflows.configuration.spend import Prices
from service.workflows.ports.unit_of_work import UnitOfWork

MEASURES: Mapping[Measure, str] = {
    Measure.UNCACHED_INPUT: "Input",
    Measure.OUTPUT: "Output",
    Measure.CACHE_READ: "Cache reads",
    Measure.CACHE_WRITE_5M: "Cache writes, 5 minutes",
    Measure.CACHE_WRITE_1H: "Cache writes, 1 hour",
    Measure.WEB_SEARCH: "Web searches",
}
_CHOICES = [(measure.value, words) for measure, words in MEASURES.items()]
_BEGUN = ("model", "measure", "valid_from")


def begun(model: str, measure: Measure, valid_from: str) -> str:
    """Returns the address of a new price's form, with what is known of it."""
    return f"{PRICES}/new?{urlencode({'model': model, 'measure': measure.value, 'valid_from': valid_from})}"


async def _parts(_: UnitOfWork, document: Document) -> Parts:
    return (
        Control("/name", "Name", hint="What it is from: sonnet output, negotiated.", is_required=True),
        Control(
            "/model",
            "Model",
            hint="Such as claude-sonnet-4-5. Without its snapshot date it holds for all dates.",
            is_required=True,
        ),
        Control("/measure", "Of", ControlKind.CHOICE, choices=_CHOICES, is_required=True),
        Control("/usd", "US dollars", hint="Such as 12.00", is_required=True),
        Control("/per", "for every", ControlKind.NUMBER, "tokens, or searches: 1000000 is a price per million."),
        Control("/valid_from", "From, UTC", ControlKind.INSTANT, "Year, month, day and time.", is_required=True),
        Control("/valid_to", "Until, UTC", ControlKind.INSTANT, "That minute is not in it. Empty: it goes on."),
        Control("/labels", "Labels", ControlKind.PAIRS, "One a line, such as contract=2026."),
    )


def _fresh(query: Mapping[str, str]) -> Document:
    given = {name: query[name] for name in _BEGUN if query.get(name)}
    name = f"{given['model']}, {MEASURES[Measure(given['measure'])].lower()}" if _says_all(given) else ""
    return {"per": 1_000_000, "measure": Measure.UNCACHED_INPUT.value, "name": name, **given}


def _says_all(given: Mapping[str, str]) -> bool:
    return "model" in given and given.get("measure") in list(Measure)


router = editing_router(
    ResourcePages(
        path=PRICES,
        place=PLACE,
        kind=Prices(),
        shape=PriceShape(),
        parts=_parts,
        fresh=_fresh,
        leads_to=lambda _: PRICES,
        advice="It takes the place of the list price while it holds. Of two that hold, the later made one counts."
        " Estimates follow with the next poll, which prices the last 3 days again; the daily deep one, 35 days.",
    )
)
