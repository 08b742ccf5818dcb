"""From many ringing scopes to one alert."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from service.domain.alerts.evidence import Contribution
from service.domain.rules.incidents import AlertDays, Family, Incident, incidents
from service.domain.rules.rule import Calm, Verdict
from service.domain.rules.view import HourFigures
from service.domain.values.money import Money
from service.domain.values.scopes import ORGANISATION, Cell, Dimension, ScopeKey
from service.domain.values.utc import DAY
from tests.domain.rules.views import NOON, day, observation, verdict, view

ENG, OPS = (ScopeKey(Dimension.WORKSPACE, f"wrkspc_{name}") for name in ("eng", "ops"))
CI, BOT, CRON = (ScopeKey(Dimension.API_KEY, f"apikey_{name}") for name in ("ci", "bot", "cron"))
OPUS, HAIKU = (ScopeKey(Dimension.MODEL, f"claude-{name}") for name in ("opus", "haiku"))
VIEW = view(
    {
        Cell(ENG.id, OPUS.id, CI.id): [1.0],
        Cell(ENG.id, HAIKU.id, BOT.id): [1.0],
        Cell(OPS.id, HAIKU.id, CRON.id): [1.0],
    }
)


def rises(dollars: float) -> Verdict:
    return verdict(observation(actual=100 + dollars, expected=100))


def quiet(dollars: float = 1) -> Verdict:
    return verdict(observation(actual=100 + dollars, expected=100), passed=False)


def found(verdicts: Mapping[ScopeKey, Verdict], *open_scopes: ScopeKey) -> list[tuple[ScopeKey, bool, ScopeKey]]:
    return [(one.scope, one.amends, one.found) for one in incidents(VIEW, verdicts, about_today(*open_scopes))]


def about_today(*open_scopes: ScopeKey) -> dict[ScopeKey, AlertDays]:
    return dict.fromkeys(open_scopes, AlertDays((VIEW.today, VIEW.today)))


@pytest.mark.parametrize(
    ("above", "below"),
    [(ORGANISATION, ENG), (ORGANISATION, OPUS), (ORGANISATION, CI), (ENG, CI), (ENG, BOT), (OPS, CRON)],
)
def test_the_organisation_contains_all_and_a_workspace_its_keys(above: ScopeKey, below: ScopeKey) -> None:
    family = Family.of(VIEW)
    assert family.contains(above, below)
    assert not family.contains(below, above)


@pytest.mark.parametrize(("one", "other"), [(ENG, CRON), (ENG, OPUS), (OPUS, CI), (ENG, OPS), (ENG, ENG)])
def test_scopes_that_cross_contain_neither_the_other(one: ScopeKey, other: ScopeKey) -> None:
    family = Family.of(VIEW)
    assert not family.contains(one, other)
    assert not family.contains(other, one)


@pytest.mark.parametrize(
    ("sentence", "verdicts", "expected"),
    [
        ("nothing rings", {ORGANISATION: quiet(), ENG: quiet()}, []),
        (
            "all levels ring",
            {ORGANISATION: rises(90), ENG: rises(80), CI: rises(80), OPUS: rises(70)},
            about_today(ORGANISATION),
        ),
        ("the organisation is quiet", {ORGANISATION: quiet(), ENG: rises(80), CI: rises(80)}, [ENG]),
        ("only a key rings", {ORGANISATION: quiet(), ENG: quiet(), CI: rises(80)}, [CI]),
        ("two workspaces ring", {ORGANISATION: quiet(), ENG: rises(50), OPS: rises(80)}, [OPS, ENG]),
        ("a key of another workspace rings as well", {ENG: rises(80), CRON: rises(50)}, [ENG, CRON]),
    ],
)
def test_one_incident_is_found_at_its_highest_level_when(
    sentence: str, verdicts: Mapping[ScopeKey, Verdict], expected: list[ScopeKey]
) -> None:
    assert found(verdicts) == [(key, False, key) for key in expected], sentence


@pytest.mark.parametrize(
    ("sentence", "rings", "open_scope"),
    [
        ("a workspace under an open organisation", ENG, ORGANISATION),
        ("a key under an open workspace", CI, ENG),
        ("a workspace over an open key", ENG, CI),
        ("the organisation over an open model", ORGANISATION, OPUS),
        ("the scope of the open alert itself", ENG, ENG),
    ],
)
def test_a_relative_of_an_open_alert_amends_it(sentence: str, rings: ScopeKey, open_scope: ScopeKey) -> None:
    assert found({rings: rises(80)}, open_scope) == [(open_scope, True, rings)], sentence


def test_a_stranger_to_the_open_alert_opens_its_own() -> None:
    assert found({OPS: rises(80)}, ENG, CI) == [(OPS, False, OPS)]


def test_of_several_open_relatives_the_highest_is_amended() -> None:
    assert found({CI: rises(80)}, ENG, ORGANISATION) == [(ORGANISATION, True, CI)]


def test_two_children_of_one_open_alert_amend_it_once_with_both_as_contributions() -> None:
    [incident] = incidents(VIEW, {ORGANISATION: quiet(), ENG: rises(50), OPS: rises(80)}, about_today(ORGANISATION))
    assert (incident.scope, incident.found) == (ORGANISATION, OPS)
    assert [part.scope for part in incident.contributions] == [ENG]


def parts(incident: Incident) -> list[tuple[ScopeKey, str]]:
    return [(part.scope, str(part.amount)) for part in incident.contributions]


def test_contributions_are_ranked_by_their_part_of_the_excess_whether_they_ring_or_not() -> None:
    [incident] = incidents(
        VIEW, {ORGANISATION: rises(100), OPS: quiet(30), ENG: rises(70.5), CI: rises(60), CRON: quiet(0)}
    )
    assert parts(incident) == [(ENG, "70.50"), (CI, "60.00"), (OPS, "30.00")]


def test_contributions_of_a_workspace_are_its_own_keys() -> None:
    [incident] = incidents(VIEW, {ENG: rises(100), CI: quiet(60), CRON: quiet(90), OPUS: quiet(60)})
    assert parts(incident) == [(CI, "60.00")]


def test_what_moved_the_other_way_contributes_nothing() -> None:
    fell = verdict(observation(actual=10, expected=100, falls=True))
    [incident] = incidents(VIEW, {ORGANISATION: rises(100), ENG: rises(-40), OPS: fell})
    assert parts(incident) == []


def test_a_contribution_carries_the_name_that_people_know() -> None:
    [incident] = incidents(VIEW, {ORGANISATION: rises(100), ENG: quiet(60)})
    assert incident.contributions == (Contribution(ENG, "eng", Money.of("60"), spent=Money.of("160")),)


def test_a_key_says_the_only_workspace_that_it_spends_in() -> None:
    [incident] = incidents(VIEW, {ORGANISATION: rises(100), CI: quiet(60)})
    assert [(part.scope, part.within) for part in incident.contributions] == [(CI, "eng")]


def test_an_unsteady_child_is_a_contribution_and_no_alert_of_its_own() -> None:
    unsteady = verdict(replace(observation(180, 100), stands_alone=False))
    assert found({ORGANISATION: quiet(), ENG: unsteady}) == []
    [incident] = incidents(VIEW, {ORGANISATION: rises(100), ENG: unsteady})
    assert parts(incident) == [(ENG, "80.00")]


def test_an_organisation_that_is_no_level_of_its_rule_does_not_ring() -> None:
    explains = verdict(replace(observation(180, 100), stands_alone=False))
    assert found({ORGANISATION: explains, ENG: rises(50)}) == [(ENG, False, ENG)]


def divided(dollars: float, parts: Mapping[ScopeKey, float], impact: float = math.nan) -> Verdict:
    """An observation that says itself how its excess divides."""
    return verdict(replace(observation(100 + dollars, 100), parts=tuple(parts.items()), impact=impact))


def test_contributions_are_the_parts_that_an_observation_names_whatever_other_observations_say() -> None:
    whole = divided(100, {ENG: 70.5, CI: 60.0, HAIKU: 20.0})
    [incident] = incidents(VIEW, {ORGANISATION: whole, ENG: rises(9), OPS: rises(5000), CI: quiet(700)})
    assert parts(incident) == [(ENG, "70.50"), (CI, "60.00"), (HAIKU, "20.00")]


def test_what_lies_around_a_scope_is_no_contribution_to_it() -> None:
    [incident] = incidents(VIEW, {CI: divided(80, {ENG: 80.0, OPUS: 80.0})})
    assert parts(incident) == [(OPUS, "80.00")]


@pytest.mark.parametrize(
    ("sentence", "inside", "scopes"),
    [
        ("the model spent most of its excess in the workspace", 45.0, [ENG]),
        ("the model spent half of it there", 40.0, [ENG]),
        ("the model spent less than half of it there", 39.0, [ENG, OPUS]),
    ],
)
def test_a_workspace_and_a_model_that_share_their_dollars_are_one_incident(
    sentence: str, inside: float, scopes: list[ScopeKey]
) -> None:
    verdicts = {ENG: divided(90, {OPUS: inside}), OPUS: divided(80, {ENG: inside})}
    assert found(verdicts) == [(scope, False, scope) for scope in scopes], sentence


def test_a_model_wins_over_a_key_that_shares_its_dollars() -> None:
    assert found({OPUS: divided(80, {CI: 75.0}), CI: divided(75, {OPUS: 75.0})}) == [(OPUS, False, OPUS)]


@pytest.mark.parametrize(("rings", "open_scope"), [(ENG, OPUS), (OPUS, ENG)])
def test_an_open_alert_about_the_same_dollars_is_amended(rings: ScopeKey, open_scope: ScopeKey) -> None:
    assert found({rings: divided(80, {open_scope: 60.0})}, open_scope) == [(open_scope, True, rings)]
    assert found({rings: divided(80, {open_scope: 30.0})}, open_scope) == [(rings, False, rings)]


def test_an_open_alert_whose_scope_still_rings_is_amended_by_what_holds_its_dollars() -> None:
    verdicts = {ENG: divided(900, {OPUS: 80.0}), OPUS: divided(80, {ENG: 80.0})}
    assert found(verdicts, OPUS) == [(OPUS, True, ENG)]


def test_incidents_are_ranked_by_what_they_have_cost_where_that_is_known() -> None:
    """An hour's excess and a day's do not compare."""
    verdicts = {ENG: divided(50, {}, impact=50.0), OPS: divided(10, {}, impact=400.0)}
    assert [scope for scope, _, _ in found(verdicts)] == [OPS, ENG]


def test_two_scopes_that_amend_one_alert_bring_their_parts() -> None:
    verdicts = {ORGANISATION: quiet(), ENG: divided(50, {CI: 50.0, HAIKU: 9.0}), OPS: divided(80, {HAIKU: 80.0})}
    [incident] = incidents(VIEW, verdicts, about_today(ORGANISATION))
    assert incident.found == OPS
    assert parts(incident) == [(HAIKU, "80.00"), (CI, "50.00"), (ENG, "50.00")]


def test_a_key_that_only_hours_know_lies_in_its_workspace() -> None:
    figures = HourFigures(NOON, [True], {Cell(OPS.id, OPUS.id, "apikey_new"): [1.0]}, NOON)
    new = ScopeKey(Dimension.API_KEY, "apikey_new")
    assert Family.of(replace(VIEW, hours=figures)).contains(OPS, new)
    assert not Family.of(VIEW).contains(OPS, new)


# ------------------------------------------------------------------------------------- at the same time


def on(days_ago: int, seen: Verdict) -> Verdict:
    """The same, of another day."""
    return replace(seen, observation=replace(seen.observation, days=(day(days_ago),)))


def test_an_organisation_that_rings_for_another_day_explains_nothing() -> None:
    assert found({ORGANISATION: on(2, rises(400)), ENG: on(0, rises(300))}) == [
        (ORGANISATION, False, ORGANISATION),
        (ENG, False, ENG),
    ]


def test_an_alert_about_other_days_takes_in_no_relative() -> None:
    told = {ORGANISATION: AlertDays((day(3), day(2)))}
    assert [one.scope for one in incidents(VIEW, {ENG: on(0, rises(300))}, told)] == [ENG]
    assert [one.scope for one in incidents(VIEW, {ENG: on(2, rises(300))}, told)] == [ORGANISATION]


def test_a_scope_with_an_alert_of_its_own_is_amended_although_the_organisation_rings_too() -> None:
    both = incidents(VIEW, {ORGANISATION: rises(900), ENG: rises(500), OPS: rises(400)}, about_today(ENG, OPS))
    assert {(one.scope, one.found) for one in both} == {(ENG, ORGANISATION), (OPS, OPS)}


def test_an_incident_that_goes_on_longer_than_the_organisation_s_is_seen_by_itself() -> None:
    longer = replace(rises(300), observation=replace(rises(300).observation, days=(day(1), day(0))))
    assert found({ORGANISATION: on(1, rises(900)), ENG: longer}) == [
        (ORGANISATION, False, ORGANISATION),
        (ENG, False, ENG),
    ]
    [one] = incidents(VIEW, {ORGANISATION: on(1, rises(900)), ENG: longer}, {ORGANISATION: AlertDays((day(1), day(1)))})
    assert (one.scope, one.found) == (ORGANISATION, ENG)


def test_an_alert_that_has_ended_takes_in_only_what_it_told_of() -> None:
    ended = {ENG: AlertDays((day(2), day(2)), is_present=False)}
    assert [one.scope for one in incidents(VIEW, {ORGANISATION: on(2, rises(400))}, ended)] == [ENG]
    longer = replace(rises(400), observation=replace(rises(400).observation, days=(day(2), day(0))))
    assert [one.scope for one in incidents(VIEW, {ORGANISATION: longer}, ended)] == [ORGANISATION]


# ------------------------------------------------------------------------------ while the whole organisation is up


def well_above(*, up: bool = True) -> Verdict:
    """An organisation that does not fire."""
    seen = quiet().observation
    return replace(quiet(), observation=replace(seen, calm=Calm(False, "", "", DAY, up=up)))


def test_two_workspaces_that_rise_while_the_organisation_is_up_are_one_incident_of_the_larger() -> None:
    both = {ENG: rises(50), OPS: rises(80)}
    [incident] = incidents(VIEW, {ORGANISATION: well_above(), **both})
    assert (incident.scope, incident.found) == (OPS, OPS)
    assert [part.scope for part in incident.contributions] == [ENG]
    assert len(incidents(VIEW, {ORGANISATION: well_above(up=False), **both})) == 2


def test_a_workspace_that_rises_while_the_organisation_is_up_belongs_to_the_alert_of_another() -> None:
    assert found({ORGANISATION: well_above(), OPS: rises(80)}, ENG) == [(ENG, True, OPS)]
    assert found({ORGANISATION: well_above(up=False), OPS: rises(80)}, ENG) == [(OPS, False, OPS)]
    earlier = {ENG: AlertDays((day(3), day(2)))}
    assert [one.scope for one in incidents(VIEW, {ORGANISATION: well_above(), OPS: on(0, rises(80))}, earlier)] == [OPS]


def test_what_an_alert_has_named_belongs_to_it_in_the_nights_too() -> None:
    named = {ENG: replace(AlertDays((VIEW.today, VIEW.today)), told=frozenset({OPS}))}
    assert [one.scope for one in incidents(VIEW, {ORGANISATION: well_above(up=False), OPS: rises(80)}, named)] == [ENG]


def test_a_model_of_which_a_workspace_s_alert_names_a_part_is_another_incident_elsewhere() -> None:
    named = {ENG: replace(AlertDays((VIEW.today, VIEW.today)), told=frozenset({HAIKU}))}
    verdicts = {ORGANISATION: well_above(), HAIKU: divided(80, {OPS: 80.0})}
    assert [one.scope for one in incidents(VIEW, verdicts, named)] == [HAIKU]
