"""An OpenID Connect issuer: where it sends a browser, and whom it has recognised there.

OpenID Connect Core 1.0, Discovery 1.0, and PKCE (RFC 7636). What the issuer says of itself is asked for when somebody
signs in, which is seldom: keys that it has changed since are simply the ones that it has.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import KeySet

from service.domain.values.plain_text import clean
from service.workflows.ports.identity import AskedSignIn, Claims, IdentityRefused
from service.workflows.ports.platform import EgressRefused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Those with a public key. "none" is no signature, and HS256 would take the client's secret for a key."""
_KEY_TYPES = {"RSA", "EC", "OKP"}
LEEWAY = 60
"""Seconds that the clocks of both machines may differ."""
TIMEOUT_SECONDS = 10.0
MOST_BYTES = 1_000_000
_ABOUT = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class OidcClient:
    """How this installation is registered at the issuer. `secret` is None for a public client."""

    issuer: str
    client_id: str
    secret: str | None
    scopes: str


@dataclass(frozen=True, slots=True)
class OidcIssuer:
    """An IdentityProvider. The caller's transport stays open, and guards where requests go."""

    client: OidcClient
    transport: httpx.AsyncBaseTransport

    @property
    def name(self) -> str:
        return urlsplit(self.client.issuer).netloc

    async def address(self, asked: AskedSignIn) -> str:
        about = await self._about()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": asked.redirect_uri,
            "scope": self.client.scopes,
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        page = _address(about, "authorization_endpoint")
        return f"{page}{'&' if '?' in page else '?'}{urlencode(query)}"

    async def identify(self, code: str, asked: AskedSignIn, now: datetime) -> Claims:
        about = await self._about()
        answer = await self._ask(self._exchange(about, code, asked), "the token endpoint")
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise IdentityRefused("The issuer sent no id_token. TOCSIN_OIDC_SCOPES has to name openid.")
        keys = await self._ask(httpx.Request("GET", _address(about, "jwks_uri")), "the issuer's keys")
        return self._believed(id_token, keys, asked, now)

    async def _about(self) -> Mapping[str, object]:
        """Returns what the issuer says of itself. Raises IdentityRefused where it calls itself otherwise."""
        issuer = self.client.issuer
        about = await self._ask(httpx.Request("GET", issuer.rstrip("/") + _ABOUT), f"{issuer}{_ABOUT}")
        if about.get("issuer") != issuer:
            named = clean(str(about.get("issuer")))
            raise IdentityRefused(f"The issuer calls itself {named}: set TOCSIN_OIDC_ISSUER to exactly that.")
        return about

    def _exchange(self, about: Mapping[str, object], code: str, asked: AskedSignIn) -> httpx.Request:
        client, headers = self.client, {}
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.redirect_uri,
            "code_verifier": asked.verifier,
        }
        methods = about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if client.secret is not None and isinstance(methods, list) and "client_secret_basic" in methods:
            # RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
            pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": client.client_id, **({"client_secret": client.secret} if client.secret else {})}
        return httpx.Request("POST", _address(about, "token_endpoint"), data=form, headers=headers)

    async def _ask(self, request: httpx.Request, what: str) -> Mapping[str, object]:
        """Returns an answer that is a JSON object. Raises IdentityRefused."""
        request.extensions["timeout"] = httpx.Timeout(TIMEOUT_SECONDS).as_dict()
        request.headers["Accept"] = "application/json"
        try:
            response = await self.transport.handle_async_request(request)
            try:
                body = await _bounded(response)
            finally:
                await response.aclose()
        except EgressRefused as error:
            raise IdentityRefused(f"{what} may not be asked: {error}") from error
        except httpx.HTTPError as error:
            raise IdentityRefused(f"{what} cannot be reached ({type(error).__name__}). Try again.") from error
        said = _object(body)
        if response.status_code != httpx.codes.OK:
            words = clean(str(said.get("error_description") or said.get("error") or ""))
            advice = "Check TOCSIN_OIDC_CLIENT_ID, its secret, and the redirect address that is registered."
            raise IdentityRefused(f"{what} answered {response.status_code}{': ' if words else ''}{words}. {advice}")
        return said

    def _believed(self, id_token: str, keys: Mapping[str, object], asked: AskedSignIn, now: datetime) -> Claims:
        """Returns the claims of a token that is signed, for us, fresh, and the answer to this very sign-in."""
        issuer, client_id = self.client.issuer, self.client.client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": asked.nonce},
            azp={"value": client_id},
        )
        try:
            claims = jwt.decode(id_token, _public_keys(keys), algorithms=ALGORITHMS).claims
            registry.validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise IdentityRefused(_words(error, issuer, client_id)) from error
        return claims


def _public_keys(published: Mapping[str, object]) -> KeySet:
    """Returns the keys that may sign. Others of the set, for encryption or of a later time, are left out."""
    listed = published.get("keys")
    usable = [
        one
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(one, dict) and one.get("kty") in _KEY_TYPES and one.get("use", "sig") == "sig"
    ]
    return KeySet.import_key_set({"keys": usable})


def _words(error: Exception, issuer: str, client_id: str) -> str:
    """Returns why a token is not believed, and what to do. Nothing of the token is in it."""
    if isinstance(error, ExpiredTokenError):
        return "What the issuer sent has expired. Sign in again; if that does not help, compare the machines' clocks."
    for_another = (
        f"What the issuer sent is for another client: TOCSIN_OIDC_CLIENT_ID is {client_id}."
        " Where that is the right one, let the issuer name it in the audience (aud) of its ID token."
    )
    if isinstance(error, ClaimError):
        return {
            "aud": for_another,
            "azp": for_another,
            "iss": f"What was sent is of another issuer: TOCSIN_OIDC_ISSUER is {issuer}.",
            "nonce": "What the issuer sent answers another sign-in. Begin again from the sign-in page.",
        }.get(str(error.claim), f"What the issuer sent is not sound: {error.error}. Ask whoever runs the issuer.")
    if isinstance(error, InvalidKeyIdError | BadSignatureError):
        return "What was sent is not signed with a key that the issuer publishes."
    if isinstance(error, UnsupportedAlgorithmError):
        return f"What was sent is not signed in a way that is accepted: {', '.join(ALGORITHMS[:-1])}."
    return "What the issuer sent cannot be read. Ask whoever runs the issuer."


def _address(about: Mapping[str, object], name: str) -> str:
    address = about.get(name)
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        raise IdentityRefused(f"The issuer's description names no {name}.")
    return address


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MOST_BYTES:
            raise httpx.DecodingError("the answer is too long")
    return body


def _object(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
