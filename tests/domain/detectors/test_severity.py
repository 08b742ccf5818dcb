"""How loud an unusual bucket is."""

import pytest

from service.domain.detectors.severity import Size, severity
from service.domain.values.severity import Severity


@pytest.mark.parametrize(
    ("amount", "expected", "score", "override", "projected", "organisation", "answer"),
    [
        (140.0, 100.0, 1.2, False, 40.0, 1000.0, Severity.INFO),  # less than half as much again
        (150.0, 100.0, 1.2, False, 50.0, 1000.0, Severity.WARNING),
        (349.0, 100.0, 9.0, False, 249.0, 1000.0, Severity.WARNING),  # under $250
        (350.0, 100.0, 1.5, False, 250.0, 1000.0, Severity.ERROR),
        (350.0, 100.0, 1.4, False, 250.0, 1000.0, Severity.WARNING),
        (350.0, 100.0, 0.4, True, 250.0, 1000.0, Severity.ERROR),
        (350.0, 100.0, 9.0, True, 250.0, 20000.0, Severity.WARNING),  # 2 % of $20,000 is $400
        (1099.0, 100.0, 9.0, True, 999.0, 1000.0, Severity.ERROR),
        (1100.0, 100.0, 9.0, True, 1000.0, 1000.0, Severity.CRITICAL),
        (1100.0, 100.0, 9.0, True, 1000.0, 20000.0, Severity.ERROR),  # 10 % of $20,000 is $2,000
        (60.0, 10.0, 2.0, False, 1200.0, 1000.0, Severity.CRITICAL),  # one hour at this speed
        (10.0, 100.0, -3.0, False, -90.0, 1000.0, Severity.INFO),
    ],
)
def test_severity_is_the_higher_of_size_and_speed(
    amount: float,
    expected: float,
    score: float,
    override: bool,
    projected: float,
    organisation: float,
    answer: Severity,
) -> None:
    assert severity(Size(amount, expected, score, override, projected), organisation) is answer
