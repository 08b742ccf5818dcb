"""How a rule's alert speaks: who spends how much above normal, since when, and what it costs if it goes on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import ClassVar

from service.domain.alerts.alert import Reason
from service.domain.alerts.evidence import RuleEvidence
from service.domain.messages.console_pages import API_KEYS
from service.domain.messages.culprit import culprit, largest_members, worth_naming
from service.domain.messages.phrases import CAPITAL_ORGANISATION, capital, hours, member, parts, rough, scaled
from service.domain.messages.spender import Spender, spender_of, whole_of
from service.domain.messages.words import HEADLINE_NAME_LENGTH, Facts, Words
from service.domain.rules.kind import KindWords
from service.domain.rules.registry import KINDS
from service.domain.rules.rule import DOLLARS_A_DAY, DOLLARS_AN_HOUR
from service.domain.values.money import Money
from service.domain.values.plain_text import clean, short_day
from service.domain.values.scopes import Dimension
from service.domain.values.utc import DAY, HOUR

CAUSE_LENGTH = 600
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_UNPRINTABLE_BUT_KEPT = frozenset({_ISOLATE, _END_OF_ISOLATE, "\u200c", "\u200d"})
_PLACE = re.compile(r"\{(who|spent|excess|when|usual)\}")
_A_DAY = {DOLLARS_A_DAY: 1, DOLLARS_AN_HOUR: 24}
"""How many of a unit's stretches a day has; other units say nothing of the days to come."""


UNKNOWN_KIND = KindWords()
"""The words of a kind that a newer release knows."""


@dataclass(frozen=True, slots=True)
class RuleWords(Words):
    evidence: RuleEvidence
    page: ClassVar[str] = API_KEYS

    def title(self) -> str:
        """ "API key support-bot: $55/h above normal", "Workspace research: $481 on Fri 13 Nov, normally $66"."""
        evidence, words, spender = self.evidence, _words(self.evidence), self._spender
        if evidence.hour is not None:
            return f"{spender.name}: {rough(spender.excess)}/h above normal"
        if spender.spent is None:
            side = "below" if evidence.falls else "above"
            return f"{spender.name}: {spender.excess.brief()} {side} normal {_when(evidence)}"
        said = {
            "who": spender.name,
            "spent": f"only {spender.spent.brief()}" if evidence.falls else spender.spent.brief(),
            "excess": spender.excess.brief(),
            "when": _when(evidence),
            "usual": spender.usual,
        }
        return _PLACE.sub(lambda found: said[found[1]], words.headline)

    def headline(self) -> str:
        """The title, since when, where, and the largest members where no single one explains it."""
        spender, top = self._spender, largest_members(self.evidence)
        since = f" since {_clock_since(self.evidence)}" if self.evidence.hour is not None else ""
        within = f" ({clean(spender.within, HEADLINE_NAME_LENGTH)})" if spender.within else ""
        named = ", ".join(f"{member(part, HEADLINE_NAME_LENGTH)} {rough(part.amount)}" for part in top)
        return f"{self.title()}{since}{within}{f'; top: {named}' if named and not spender.is_part else ''}"

    def summary(self) -> str:
        """Two lines: what is normal and through what; what it costs if it goes on."""
        evidence, spender = self.evidence, self._spender
        first = [*([_in_the_hour(spender, evidence.hour)] if evidence.hour is not None else []), _through(spender)]
        second = [*([_whole(evidence)] if spender.is_part else []), _in_all(evidence), _goes_on(evidence, spender)]
        remark = _words(evidence).remark
        lines = (first, second, [f"{capital(remark)}."] if remark else [])
        return "\n".join(line for line in (" ".join(filter(None, part)) for part in lines) if line)

    def small_print(self) -> tuple[str, ...]:
        estimated = ("estimated from usage, the bill follows",) if self.evidence.hour is not None else ()
        because = (clean(self.evidence.severity_reason),) if self.evidence.severity_reason else ()
        return (
            *because,
            *estimated,
            f"rule {clean(self.evidence.rule_name, HEADLINE_NAME_LENGTH) or 'without a name'}",
        )

    def facts(self) -> Facts:
        return (("How this was judged", _cause(self.evidence)),)

    def parts(self) -> Facts:
        label = f"{'Missing' if self.evidence.falls else 'Excess'} by {{noun}}"
        return _tables(parts(worth_naming(self.evidence), label))

    def names(self) -> Facts:
        evidence, found = self.evidence, culprit(self.evidence)
        named = (("Who", found.name), ("In workspace", found.within)) if found else ()
        of_the_rule = (("Name of the rule", evidence.rule_name), ("Whose spend", evidence.scope_name))
        return (*named, *of_the_rule, ("Budget used up", evidence.strained_budget))

    def standing(self, reason: Reason) -> str:
        """ "API key support-bot $61 last hour, $172 above normal since 13:00 UTC"."""
        evidence, spender = self.evidence, self._spender
        lasted = "last hour" if evidence.hour is not None else _when(evidence)
        amount = spender.excess if spender.spent is None else spender.spent
        return f"{spender.name} {rough(amount)} {lasted}, {_size(evidence)}"

    def amended(self, reason: Reason) -> str:
        if reason is Reason.CALM:
            return _calm(self.evidence)
        if reason is Reason.RETURNED:
            return f"It has returned: {_size(self.evidence)}"
        if reason is Reason.CORRECTED:
            return _corrected(self.evidence, self._spender)
        return f"{'Grown to' if reason is Reason.GREW else 'Now'} {_size(self.evidence)}"

    def ended(self, reason: Reason) -> str:
        if reason is Reason.NOT_CONFIRMED:
            return _contradicted(self.evidence)
        if reason is Reason.ACCEPTED:
            return _accepted(self.evidence)
        if reason is not Reason.RECOVERED:
            return ""
        evidence = self.evidence
        over = _words(evidence).over.replace("{who}", self._spender.name)
        return f"{over} at {_clock(_quiet_from(evidence, evidence.hour))}" if evidence.hour is not None else over

    def cost(self) -> str:
        """ "$312 above normal in 6 h"."""
        evidence = self.evidence
        amount, side = evidence.impact or evidence.excess, "below" if evidence.falls else "above"
        if evidence.hour is None or evidence.since is None:
            return _of_days(evidence, amount)
        return f"{amount.brief()} {side} normal in {hours(_quiet_from(evidence, evidence.hour) - evidence.since)}"

    def next_step(self, api: str) -> str:
        spender, own = self._spender, _words(self.evidence).next_step
        if own:
            return own.replace("{who}", _in_a_sentence(spender.name))
        if self.evidence.is_calm:
            return f"Find out what {_in_a_sentence(spender.name)} did, then acknowledge."
        if self.evidence.falls:
            return "Find out what no longer runs, then acknowledge."
        if _is_a_person(self.evidence):
            return f"Find out what {_in_a_sentence(spender.name)} runs and stop what is not needed, then acknowledge."
        where = f": {API_KEYS} –" if not self.evidence.simulated else ","
        if spender.is_part or _is_an_api_key(self.evidence):
            return f"Find and stop {_in_a_sentence(spender.name)}{where} then acknowledge."
        return f"Find what spends in {_in_a_sentence(spender.name)} and stop it{where} then acknowledge."

    def undo(self, api: str) -> str:
        if self.evidence.level is None:
            return ""
        return f'If it is not to stay: POST {api}/feedback {{"kind": "fixed"}}. It then fires again while it lasts.'

    def cause(self) -> str:
        return self.evidence.cause

    @property
    def _spender(self) -> Spender:
        """Who the headline is about. A kind with words of its own is about its scope."""
        has_figures = _words(self.evidence).headline == UNKNOWN_KIND.headline
        return spender_of(self.evidence) if has_figures else whole_of(self.evidence)


def _calm(evidence: RuleEvidence) -> str:
    """ "Back to normal since 19:00 UTC. Closes at 01:00 UTC unless it returns"; with dates where it takes days."""
    since, until = evidence.calm_since, evidence.closes_at
    is_soon = since is not None and until is not None and until - since < DAY
    began, ends = ((_clock(at) if is_soon else _moment(at)) if at else "" for at in (since, until))
    return f"Back to normal since {began}{f'. Closes at {ends} unless it returns' if ends else ''}"


def _corrected(evidence: RuleEvidence, spender: Spender) -> str:
    """ "Corrected by newer figures: workspace eng $120 above normal on Fri 13 Nov, not $415"."""
    before = evidence.heard.before if evidence.heard else None
    said = f", not {before.brief()}" if before is not None else ""
    return f"Corrected by newer figures: {_in_a_sentence(spender.name)} {_size(evidence)}{said}"


def _contradicted(evidence: RuleEvidence) -> str:
    """ "Fri 27 Nov was billed $0.00, the estimate had been $20.00"."""
    if not evidence.days or evidence.billed is None:
        return ""
    of_the_hour = f" of {_clock(evidence.hour)} alone" if evidence.hour is not None else ""
    billed, estimate = evidence.billed.brief(), evidence.actual.brief()
    return f"{short_day(evidence.days[-1])} was billed {billed}, the estimate{of_the_hour} had been {estimate}"


def _accepted(evidence: RuleEvidence) -> str:
    """ "the organisation is accepted as the new level from Wed 9 Dec: $605 -> $1,210 a day"."""
    level = evidence.level
    if level is None:
        return ""
    name = _in_a_sentence(clean(level.scope_name, HEADLINE_NAME_LENGTH + 20))
    amounts = f"{level.before.brief()} -> {level.after.brief()} a day"
    return f"what {name} spends is accepted as the new level from {short_day(level.since)}: {amounts}"


def _quiet_from(evidence: RuleEvidence, hour: datetime) -> datetime:
    """When an incident of hours was over, as far as it is known."""
    return evidence.calm_since or hour + HOUR


def _tables(tables: Facts) -> Facts:
    """Leaves out those of a single member, whom the lines above name."""
    return tuple(table for table in tables if "\n" in table[1])


def _words(evidence: RuleEvidence) -> KindWords:
    kind = KINDS.get(evidence.rule_kind)
    return UNKNOWN_KIND if kind is None else kind.words


def _in_a_sentence(name: str) -> str:
    """ "Workspace eng" as "workspace eng" in the middle of a sentence; "API key" stays."""
    first = name.partition(" ")[0]
    if name == CAPITAL_ORGANISATION:
        return "the organisation"
    return f"{first.lower()}{name[len(first) :]}" if first in ("Workspace", "Model", "Person", "Product") else name


def _is_a_person(evidence: RuleEvidence) -> bool:
    """Whether the message is about a person, whose spend no page of keys shows."""
    found = culprit(evidence)
    about = found.scope if found else evidence.about
    return about is not None and about.dimension is Dimension.ACTOR


def _is_an_api_key(evidence: RuleEvidence) -> bool:
    return evidence.about is not None and evidence.about.dimension is Dimension.API_KEY


def _in_the_hour(spender: Spender, start: datetime) -> str:
    """ "$55.20 between 13:00 and 14:00 UTC, Sat 28 Nov; normally about $0.50."."""
    spent = f"{spender.excess.brief()} above normal" if spender.spent is None else spender.spent.brief()
    usual = f"; {spender.usual.replace('normally $', 'normally about $')}" if spender.spent is not None else ""
    return f"{spent} between {start:%H:%M} and {start + HOUR:%H:%M} UTC, {short_day(start.date())}{usual}."


def _through(spender: Spender) -> str:
    """ "Model claude-sonnet-5, workspace support-assistant."."""
    return f"{capital(', '.join(spender.through))}." if spender.through else ""


def _whole(evidence: RuleEvidence) -> str:
    one_day = "that day" if len(evidence.days) == 1 else "in these days"
    whole, when = whole_of(evidence), "in that hour" if evidence.hour is not None else one_day
    return f"{whole.name}: {evidence.actual.brief()} {when}, {whole.usual}."


def _in_all(evidence: RuleEvidence) -> str:
    """The whole incident, where that is more than what was judged last."""
    if evidence.impact is None or evidence.impact.brief() == evidence.excess.brief():
        return ""
    return f"{_size(evidence).replace(' normal', ' normal in all', 1)}."


def _goes_on(evidence: RuleEvidence, spender: Spender) -> str:
    a_day = _A_DAY.get(evidence.unit)
    if a_day is None or evidence.falls or evidence.is_calm:
        return ""
    budget, on = clean(evidence.strained_budget, HEADLINE_NAME_LENGTH), evidence.used_up_on
    used_up = f"; budget {budget} used up {short_day(on)}" if on is not None else ""
    return f"If it goes on: about {scaled(spender.excess, a_day)} a day more{used_up}."


def _size(evidence: RuleEvidence) -> str:
    """ "$172 above normal since 13:00 UTC"; of the judged days where nothing is added up."""
    amount, side = evidence.impact or evidence.excess, "below" if evidence.falls else "above"
    if evidence.hour is not None:
        return f"{amount.brief()} {side} normal since {_clock_since(evidence)}"
    return _of_days(evidence, amount)


def _of_days(evidence: RuleEvidence, amount: Money) -> str:
    """ "$172 above normal on Fri 13 Nov", with the remark of its kind."""
    words, side = _words(evidence), "below" if evidence.falls else "above"
    when = _since_day(evidence) or f" {_when(evidence)}"
    return f"{amount.brief()} {side} {words.normal}{when}{f', {words.remark}' if words.remark else ''}"


def _since_day(evidence: RuleEvidence) -> str:
    """ " since Wed 18 Nov", where it has lasted for more than the judged days."""
    if evidence.since is None or evidence.impact is None or not evidence.days:
        return ""
    return f" since {_moment(evidence.since)}" if evidence.since.date() < min(evidence.days) else ""


def _when(evidence: RuleEvidence) -> str:
    """ "on Fri 13 Nov", "from Wed 11 Nov to Fri 13 Nov"; UTC days."""
    if not evidence.days:
        return "lately"
    first, last = evidence.days[0], evidence.days[-1]
    return f"on {short_day(last)}" if first == last else f"from {short_day(first)} to {short_day(last)}"


def _clock_since(evidence: RuleEvidence) -> str:
    """ "13:00 UTC", with its day where that is not the judged hour's."""
    since = evidence.since or evidence.hour
    if since is None or evidence.hour is None:
        return "lately"
    return _moment(since) if since.date() != evidence.hour.date() else _clock(since)


def _clock(at: datetime) -> str:
    return f"{at:%H:%M} UTC"


def _moment(at: datetime) -> str:
    return short_day(at.date()) if at.time() == time() else f"{_clock(at)}, {short_day(at.date())}"


def _cause(evidence: RuleEvidence) -> str:
    """Clipped only: its names are clean, and isolated one by one, which a second cleaning would undo."""
    text = "".join(_printable(character) for character in evidence.cause[:CAUSE_LENGTH])
    text = text if len(evidence.cause) <= CAUSE_LENGTH else f"{text[:-1]}…"
    return text + _END_OF_ISOLATE * max(text.count(_ISOLATE) - text.count(_END_OF_ISOLATE), 0)


def _printable(character: str) -> str:
    return character if character.isprintable() or character in _UNPRINTABLE_BUT_KEPT else " "
