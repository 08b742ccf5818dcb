"""People sign in by an issuer of identities (OpenID Connect), and may do what their groups may."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from datetime import UTC, datetime, timedelta

from service.domain.access import PERSON, SESSION_LASTS, PersonSession, SignedInPerson, known_groups, role_of
from service.domain.values.plain_text import clean
from service.workflows.access.refusals import run_note_refusal
from service.workflows.configuration.engine import Author, Difference, record
from service.workflows.ports.identity import AskedSignIn, Claims, IdentityRefused, PeopleAccess
from service.workflows.ports.unit_of_work import Ports

CALLBACK = "/sign-in/oidc/callback"
ASKED_FOR = timedelta(minutes=10)
"""How long somebody has for signing in at the issuer."""
LONGEST_NAME, LONGEST_ID = 80, 255
_ASKED = re.compile(
    r"oidc-(?P<state>[A-Za-z0-9_-]{43})-(?P<back>[A-Za-z0-9_-]{0,3000})-(?P<until>[0-9]{1,11})", re.ASCII
)
_NAMES = ("preferred_username", "email", "name")


async def begin_sign_in(ports: Ports, people: PeopleAccess, back: str) -> tuple[str, str]:
    """Returns the issuer's page, and the signed text for the browser to keep meanwhile. Raises IdentityRefused."""
    asked = _asked(ports, secrets.token_urlsafe(32))
    place = base64.urlsafe_b64encode(back.encode()).decode().rstrip("=")
    text = f"oidc-{asked.state}-{place}-{int((ports.clock() + ASKED_FOR).timestamp())}"
    return await people.provider.address(asked), f"{text}.{ports.signer.sign(text)}"


async def run_finish_sign_in(
    ports: Ports, people: PeopleAccess, kept: str, state: str, code: str, address: str
) -> tuple[str, str]:
    """Returns the signed text of a new session, and the page to go on to. Raises IdentityRefused.

    `kept` is what the browser has kept: the answer to a sign-in that another browser began opens nothing.
    """
    back = _kept_place(ports, kept, state)
    claims = await people.provider.identify(code, _asked(ports, state), ports.clock())
    session = _session(people, claims, ports.clock())
    author = Author(f"{PERSON}{session.name}", ports.clock(), session.person_id, address)
    role = role_of(session.groups, people.roles)
    if role is None:
        refusal = f"no group of the claim {people.groups_claim!r} has a role"
        await run_note_refusal(ports, author, f"GET {CALLBACK}", refusal)
        raise IdentityRefused(
            f"{session.name} may not use Tocsin: {refusal}. TOCSIN_OIDC_ROLES gives groups their roles; the issuer has"
            f" to send them in the claim {people.groups_claim!r} of its ID token."
        )
    async with ports.uow() as uow:
        await record(uow, author, "person.sign_in", session.person_id, f"as {role}", Difference(after={"role": role}))
    return f"{session}.{ports.signer.sign(str(session))}", back


def person_of(ports: Ports, session: PersonSession) -> SignedInPerson | None:
    """Returns who has a session; None where it is over, or no group of theirs has a role by now."""
    if ports.people is None or not session.holds(ports.clock()):
        return None
    role = role_of(session.groups, ports.people.roles)
    return SignedInPerson(session.person_id, session.name, role) if role else None


def _asked(ports: Ports, state: str) -> AskedSignIn:
    """Nonce and verifier follow from the state by our key, so that nobody has to keep them."""
    sign = ports.signer.sign
    return AskedSignIn(
        state, sign(f"oidc nonce {state}"), sign(f"oidc verifier {state}"), f"{ports.public_url}{CALLBACK}"
    )


def _kept_place(ports: Ports, kept: str, state: str) -> str:
    text, _, signature = kept.partition(".")
    read = _ASKED.fullmatch(text)
    if read is None or not ports.signer.is_signed(text, signature) or not secrets.compare_digest(read["state"], state):
        raise IdentityRefused("This browser did not begin that sign-in. Begin again from the sign-in page.")
    if ports.clock() >= datetime.fromtimestamp(int(read["until"]), UTC):
        raise IdentityRefused("The sign-in took more than ten minutes. Begin again from the sign-in page.")
    try:
        return base64.urlsafe_b64decode(read["back"] + "=" * (-len(read["back"]) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "/"


def _session(people: PeopleAccess, claims: Claims, now: datetime) -> PersonSession:
    groups = _groups(claims, people.groups_claim)
    name = next((str(claims[one]) for one in _NAMES if claims.get(one)), str(claims["sub"]))
    person_id = str(claims["sub"])[:LONGEST_ID]
    return PersonSession(person_id, clean(name, LONGEST_NAME), known_groups(groups, people.roles), now + SESSION_LASTS)


def _groups(claims: Claims, path: str) -> list[str]:
    """Returns the groups of a claim, "realm_access.roles" being one inside another; none where it is something else."""
    found: object = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
    listed = [found] if isinstance(found, str) else found
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
