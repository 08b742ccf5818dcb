"""Where the money went: by group, beside the time before, and deeper."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

from service.domain.spend.best_known import Spend, SpendDay
from service.domain.spend.rows import Bucket
from service.domain.values.money import Money
from service.domain.values.periods import Window
from service.domain.values.scopes import Cell
from service.domain.values.utc import DAY
from service.workflows.ports.spend import Stamp
from tests.api.dashboard.browser import signed_in
from tests.api.spend.test_spend import ADA, billed_by_person
from tests.api.stand import ENG, SOURCE, TODAY, Stand, answered, midnight


async def test_it_leads_from_the_workspace_to_the_key(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "30.00", day=TODAY - timedelta(days=5))
    await stand.spend(ENG, "20.00", day=TODAY - timedelta(days=35))
    opened = await signed_in(stand)
    page = (await opened.get("/pages/spend")).text
    assert '<b><span title="$30.00">$30.00</span></b>' in page
    assert '<b><span title="$20.00">$20.00</span></b>' in page
    assert page.count("+50%") == 2, "of the whole, and of its one workspace"
    seen = []
    for _ in range(3):
        (deeper,) = re.findall(r'<tr><td><a href="([^"]+)"', page)
        page = (await opened.get(unescape(deeper))).text
        seen.append(re.findall(r"<th scope=\"col\">([^<]+)</th>", page)[0])
        assert '<b><span title="$30.00">$30.00</span></b>' in page
    assert seen == ["Model", "API key", "Token type"]
    assert "<tr><td><a" not in page, "nothing is deeper than what a key's tokens were"


async def test_days_that_were_never_read_are_said_beside_the_change(stand: Stand) -> None:
    """ "+332%" where most of the month before was never read."""
    await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
    today = midnight(TODAY)
    read = [Window(today - DAY * back, today - DAY * (back - 1)) for back in range(1, 14)]
    await stand.ports.storage.make_room(Window(read[-1].start, read[0].end))
    async with stand.ports.uow() as uow:
        stamp = Stamp(source.id, "poll_1", stand.clock())
        await uow.facts.replace_cost(stamp, [Bucket(day, ()) for day in read])
    opened = await signed_in(stand)
    assert "is not known in full" not in (await opened.get("/pages/spend?days=7")).text
    page = (await opened.get("/pages/spend?days=30")).text
    assert "The bill of 16 of these days and 29 of the days before is not known in full." in page


async def test_two_dimensions_are_a_line_for_each_pair(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "30.00")
    page = (await (await signed_in(stand)).get("/pages/spend?by=workspace&then=model")).text
    assert re.findall(r"<th scope=\"col\">([^<]+)</th>", page)[:2] == ["Workspace", "Model"]
    by_workspace, by_model = re.findall(r'<td><a href="([^"]+)">', page)
    assert "workspace=wrkspc_eng" in by_workspace
    assert "model=claude-sonnet-4-5" in by_model
    same = (await (await signed_in(stand)).get("/pages/spend?by=model&then=model")).text
    assert same.count('<th scope="col">') == 1


async def test_what_is_usual_is_the_mean_of_the_times_before(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    async with stand.ports.uow() as uow:
        (source,) = await uow.sources.all()
        for weeks, spent in ((0, "30.00"), (1, "10.00"), (2, "30.00"), (3, "20.00")):
            day = TODAY - timedelta(weeks=weeks, days=1)
            known = {ENG: SpendDay(Spend(billed=Money.of(spent)))}
            await uow.facts.store_days(Stamp(source.id, "poll_1", stand.clock()), {day: known})
    opened = await signed_in(stand)
    assert "+200%" in (await opened.get("/pages/spend?days=7")).text
    page = (await opened.get("/pages/spend?days=7&beside=usual")).text
    assert "Usual: mean of 2 times before" in page
    assert page.count("+50%") == 2


async def test_today_still_runs_and_is_compared_with_nothing(stand: Stand) -> None:
    """Of a week at $10 a day, and $1 so far today, nothing has changed against the week before."""
    await stand.create("/sources", SOURCE)
    for back in range(14):
        await stand.spend(ENG, "10.00" if back else "1.00", day=TODAY - timedelta(days=back))
    opened = await signed_in(stand)
    for address in ("/pages/spend?days=7", "/pages/spend?days=7&beside=usual", "/pages/spend?days=7&by=token_type"):
        page = (await opened.get(address)).text
        assert "$61.00" in page, "today is in what was spent"
        assert page.count("<b>0%</b>") == 1, address
        assert '<td class="figure">0%</td>' in page, address
        assert "on the same 6 days" in page


async def test_what_is_new_and_what_is_a_share_of_nothing(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(ENG, "30.00", day=TODAY - timedelta(days=1))
    page = (await (await signed_in(stand)).get("/pages/spend?days=7&by=model")).text
    assert "<b>new</b>" in page
    empty = (await (await signed_in(stand)).get("/pages/spend?days=7&model=claude-none")).text
    assert "Nothing was spent here" in empty


async def test_what_has_no_key_is_shown_and_leads_nowhere(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    await stand.spend(Cell("wrkspc_eng", "claude-sonnet-4-5", ""), "30.00")
    page = (await (await signed_in(stand)).get("/pages/spend?by=api_key")).text
    assert "<tr><td><a" not in page
    assert "$30.00" in page


async def test_without_a_source_it_says_what_to_do(stand: Stand) -> None:
    assert "No organisation is read yet" in (await (await signed_in(stand)).get("/pages/spend")).text


async def test_an_odd_address_is_refused(stand: Stand) -> None:
    await stand.create("/sources", SOURCE)
    opened = await signed_in(stand)
    assert (await opened.get("/pages/spend?days=8")).status_code == 422
    assert (await opened.get("/pages/spend?source=nowhere")).status_code == 422
    for name in ("source", "workspace", "model", "api_key"):
        assert (await opened.get(f"/pages/spend?{name}=%00")).status_code == 422, name


async def test_it_leads_from_a_person_to_products_models_and_keys(stand: Stand) -> None:
    await billed_by_person(stand)
    opened = await signed_in(stand)
    page = (await opened.get("/pages/spend?by=actor")).text
    seen = []
    while found := re.findall(r'<tr><td><a href="([^"]+)">([^<]+)</a>', page):
        seen.append(found[0][1])
        page = (await opened.get(unescape(found[0][0]))).text
        assert '<b><span title="$1.00">$1.00</span></b>' in page
    assert seen == ["ada@people.example", "claude_code", "claude-sonnet-4-5", "wrkspc_eng"]
    assert "Person ada@people.example" in page, "the way is shown"
    assert '<option value="token_type"' not in page, "of a person's tokens nothing is known"


async def test_what_is_not_known_of_people_is_refused_in_a_sentence(stand: Stand) -> None:
    id = await billed_by_person(stand)
    opened = await signed_in(stand)
    for query in ("by=actor&then=token_type", "by=cost_type&then=product", f"by=caller&actor={ADA}"):
        answer = await opened.get(f"/pages/spend?{query}")
        assert answer.status_code == 422
        assert "Actors and products are known by workspace, model and API key alone" in answer.text
        assert "<select" in answer.text, "something else can be asked at once"
    answered(await stand.admin.patch(f"/v1/sources/{id}", json={"people": "off"}))
    for query in ("by=actor", "by=workspace&then=product", f"actor={ADA}"):
        answer = await opened.get(f"/pages/spend?{query}")
        assert answer.status_code == 422
        assert "Who spent is not known of this organisation" in answer.text
    assert 'value="actor"' not in (await opened.get("/pages/spend")).text
