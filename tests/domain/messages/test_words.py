"""Every kind of alert has words for its own evidence."""

from __future__ import annotations

from typing import get_type_hints

import pytest

from service.domain.alerts.evidence import ALERT_KINDS, Evidence
from service.domain.messages.kinds import WORDS


def test_every_kind_of_alert_has_words_and_no_other() -> None:
    assert set(WORDS) == set(ALERT_KINDS.values())


@pytest.mark.parametrize("evidence", WORDS, ids=lambda kind: kind.__name__)
def test_words_are_for_the_evidence_that_they_are_listed_for(evidence: type[Evidence]) -> None:
    assert get_type_hints(WORDS[evidence])["evidence"] is evidence
