"""A file of owners in a real browser: chosen, looked at, and stored."""

from __future__ import annotations

from pathlib import Path

from service.domain.access import Role
from tests.api.dashboard.looking import IN_A_BROWSER, looked_at, on_a_phone, signed_in_at
from tests.api.dashboard.owners.test_editing import owners
from tests.api.stand import Stand, answered

pytestmark = IN_A_BROWSER


async def test_long_names_and_tags_stay_on_a_phone(spent: Stand, tmp_path: Path) -> None:
    name, said = "n" * 200, list[str]()
    await spent.create("/receivers", {"name": name, "channels": [{"kind": "console"}]})
    one = {"member": "workspace:wrkspc_eng", "owner": name, "tags": {"team": "t" * 100}}
    answered(await spent.admin.patch("/v1/owners", json={"items": [one]}))
    async with on_a_phone(spent, said) as (page, site):
        await signed_in_at(page, f"{site}/pages/owners", Role.VIEWER)
        await looked_at(page, tmp_path, "long")
    assert said == []


async def test_a_file_is_chosen_looked_at_and_stored(spent: Stand, tmp_path: Path) -> None:
    file, said = tmp_path / "owners.csv", list[str]()
    file.write_text(
        "member,owner,tag:team\nworkspace:wrkspc_eng,eng,\u00e9quipe\napi_key:apikey_lab,ann@example.com,\n"
    )
    async with on_a_phone(spent, said) as (page, site):
        await signed_in_at(page, f"{site}/pages/owners", Role.ADMIN)
        await page.click("text=Many at once, by a file")
        await page.set_input_files("#file", file)
        await page.click("text=See what would change")
        await page.wait_for_selector("text=2 of 2 lines would change something.")
        await looked_at(page, tmp_path, "file")
        assert await owners(spent) == {}
        await page.click("text=Store 2 changes")
        await page.wait_for_url(f"{site}/pages/owners")
        await page.wait_for_selector("text=team=\u00e9quipe")
        await page.go_back()
        await page.wait_for_selector("h1:has-text('Owners by a file')")
        assert page.url == f"{site}/pages/owners/file"
    assert await owners(spent) == {
        "workspace:wrkspc_eng": ("eng", {"team": "\u00e9quipe"}),
        "api_key:apikey_lab": ("ann@example.com", {}),
    }
    assert said == []
