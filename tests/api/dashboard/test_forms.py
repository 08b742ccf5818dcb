"""Forms as browsers send them: fields, and files as the text that they hold."""

from __future__ import annotations

import pytest
from httpx import Request as Sent
from starlette.requests import Request
from starlette.types import Message

from service.api.dashboard.forms import MOST_PARTS, read_form
from service.domain.values.errors import Invalid

BOUNDED = "multipart/form-data; boundary=between"
PART = '--between\r\nContent-Disposition: form-data; name="file"\r\n\r\nmember\r\n'


def request(content_type: str, body: bytes) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "headers": [(b"content-type", content_type.encode())]}, receive)


async def test_a_file_is_a_field_with_its_text_and_fields_beside_it_are_read() -> None:
    text = "member,owner\r\nworkspace:\u00e9quipe,eng\r\n--not-a-boundary\r\n\r\n"
    sent = Sent("POST", "http://tocsin", files={"file": ("o.csv", text.encode("utf-8-sig"))}, data={"text": "b\u00e9"})
    form = await read_form(request(sent.headers["content-type"], sent.read()))
    assert form == {"file": text, "text": "b\u00e9"}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", b"a=b"),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("application/x-www-form-urlencoded", "a=\u00e9".encode()),
        ("multipart/form-data", PART.encode()),
        (BOUNDED, b"member"),
        (BOUNDED, (PART * (MOST_PARTS + 1) + "--between--\r\n").encode()),
        (BOUNDED, b"--between\r\n\r\n" * (MOST_PARTS + 1) + b"--between--\r\n"),
        (BOUNDED, PART.encode()),
        (BOUNDED, PART.encode().replace(b"member", b"\xff") + b"--between--\r\n"),
        ('multipart/form-data; boundary=""', PART.encode()),
    ],
)
async def test_what_no_page_of_ours_sends_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(Invalid):
        await read_form(request(content_type, body))


async def test_parts_inside_a_part_are_its_text() -> None:
    """Each of them would be looked for in all that follows."""
    first, deeper = (
        "".join(f"Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n" for at in range(*span))
        for span in ((0, 1), (1, 2_000))
    )
    sent = f'--between\r\nContent-Disposition: form-data; name="file"\r\n{first}{deeper}\r\n--between--\r\n'
    form = await read_form(request(BOUNDED, sent.encode()))
    assert form == {"file": f"--b0\r\n{deeper}"}
