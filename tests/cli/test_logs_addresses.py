"""No line of the log has a mail address, whoever wrote it: a refusal, a library, a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROCESS = """
import logging
import structlog
from service.cli.logs import configure_logging

configure_logging({form!r})
log, library = structlog.get_logger("ours"), logging.getLogger("aiosmtplib")
log.warning("outage_begins", system="channel email", reason="ann.o'neil+x@mail.example.com (550 <ann@example.org>)")
library.warning("recipient bob@example.com refused")
try:
    raise RuntimeError("postgresql://tocsin:FAKE-password@db.example.com/tocsin, carol@example.net")
except RuntimeError:
    log.exception("job_failed")
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_addresses_are_shortened_to_their_domains(form: str) -> None:
    program = PROCESS.format(form=form)
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    for hidden in ("ann.", "ann@", "neil", "bob@", "carol", "FAKE-password"):
        assert hidden not in said
    for domain in ("...@mail.example.com", "...@example.org", "...@example.com", "...@example.net"):
        assert domain in said
