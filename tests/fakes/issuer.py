"""A small issuer of identities over real HTTP, with real keys, which says what a test wants it to say."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

from service.cli.serving import serving

CLIENT, SECRET = "tocsin", "a secret of the tests & more"


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)


FIRST_KEY, SECOND_KEY = new_key("first"), new_key("second")
"""Made once: each takes a tenth of a second."""


@dataclass
class FakeIssuer:
    """`claims` are added to those of a sound token, `published` are the keys that it shows; it signs with `key`."""

    address: str = ""
    key: RSAKey = field(default_factory=lambda: FIRST_KEY)
    published: list[RSAKey] = field(default_factory=lambda: [FIRST_KEY])
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    forged: Callable[[str], str] | None = None
    named: str | None = None
    refusal: tuple[int, dict[str, Any]] | None = None
    now: int = 0
    asked: dict[str, str] = field(default_factory=dict)

    def follow(self, location: str) -> str:
        """What a browser does at the issuer's page: returns the state with which it comes back."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return self.asked["state"]

    def id_token(self) -> str:
        claims = {
            "iss": self.address,
            "aud": CLIENT,
            "sub": "subject-1",
            "exp": self.now + 300,
            "iat": self.now,
            "nonce": self.asked["nonce"],
            "preferred_username": "ann",
            "groups": ["tocsin-admins"],
            **self.claims,
        }
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        token = jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, self.key)
        return self.forged(token) if self.forged else token


def issuer_app(issuer: FakeIssuer) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    async def about() -> dict[str, Any]:
        site = issuer.address
        return {
            "issuer": issuer.named or site,
            "authorization_endpoint": f"{site}/authorize",
            "token_endpoint": f"{site}/token",
            "jwks_uri": f"{site}/keys",
        }

    @app.get("/keys")
    async def keys() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in issuer.published]}

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        proven = base64.urlsafe_b64encode(challenge).decode().rstrip("=") == issuer.asked["code_challenge"]
        basic = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        known = basic == "tocsin:a%20secret%20of%20the%20tests%20%26%20more"
        if issuer.refusal is not None:
            return JSONResponse(issuer.refusal[1], issuer.refusal[0])
        if not (proven and known and form["redirect_uri"] == issuer.asked["redirect_uri"] and form["code"] == "a-code"):
            return JSONResponse({"error": "invalid_grant", "error_description": json.dumps(sorted(form))}, 400)
        return JSONResponse({"id_token": issuer.id_token(), "access_token": "x", "token_type": "Bearer"})

    return app


@asynccontextmanager
async def open_issuer(now: int) -> AsyncIterator[FakeIssuer]:
    issuer = FakeIssuer(now=now)
    async with serving(issuer_app(issuer)) as address:
        issuer.address = address
        yield issuer
