"""An Admin API of many organisations that spends no time of its own: each answer is made once and kept as bytes.

    python benchmarks/polling/server.py 20 8410     # workspaces, port

The organisation is the key's. All of them have the same workspaces and the same spend.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import parse_qsl

from aiohttp import web

Row = dict[str, object]
STEPS = {"1d": timedelta(days=1), "1h": timedelta(hours=1), "1m": timedelta(minutes=1)}
LONGEST_PAGE = {"1d": 31, "1h": 168, "1m": 1440}


class Answers:
    def __init__(self, workspaces: int) -> None:
        self._ids = [f"wrkspc_{number:04}" for number in range(workspaces)]
        self.report = lru_cache(maxsize=1000)(self._report)
        self.directory = lru_cache(self._directory)

    def _directory(self, kind: str) -> bytes:
        made = {"created_at": "2026-01-01T00:00:00Z", "archived_at": None, "display_color": "#000000"}
        rows = {
            "workspaces": [{"id": id, "name": id, "type": "workspace", **made} for id in self._ids],
            "api_keys": [
                {"id": f"apikey_{id}", "name": id, "type": "api_key", "workspace_id": id, "status": "active", **made}
                for id in self._ids
            ],
        }[kind]
        return _encoded({"data": rows, "has_more": False, "first_id": None, "last_id": None})

    def _report(self, kind: str, query: str) -> bytes:
        """Every bucket that is asked for, page by page; minutes are empty."""
        asked = dict(parse_qsl(query))
        width = asked["bucket_width"]
        step, start = STEPS[width], datetime.fromisoformat(asked["starting_at"])
        first = int(asked.get("page", "0"))
        end = min(int(asked.get("limit", LONGEST_PAGE[width])) + first, _count(asked, step))
        rows = [] if width == "1m" else [self._row(kind, id) for id in self._ids]
        buckets = [
            {
                "starting_at": _stamp(start + number * step),
                "ending_at": _stamp(start + (number + 1) * step),
                "results": rows,
            }
            for number in range(first, end)
        ]
        more = end < _count(asked, step)
        return _encoded({"data": buckets, "has_more": more, "next_page": str(end) if more else None})

    def _row(self, kind: str, workspace: str) -> Row:
        common: Row = {
            "workspace_id": workspace,
            "model": "claude-sonnet-4-5",
            "service_tier": "standard",
            "context_window": "0-200k",
            "inference_geo": "global",
        }
        if kind == "cost_report":
            tokens: Row = {"description": "Claude Sonnet 4.5 Usage - Output Tokens", "cost_type": "tokens"}
            return common | tokens | {"token_type": "output_tokens", "amount": "1234.5", "currency": "USD"}
        counts: Row = {"uncached_input_tokens": 0, "output_tokens": 34_291, "cache_read_input_tokens": 0}
        nothing: Row = {"cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}}
        return (
            common
            | counts
            | nothing
            | {
                "api_key_id": f"apikey_{workspace}",
                "server_tool_use": {"web_search_requests": 0},
            }
        )


def _count(asked: dict[str, str], step: timedelta) -> int:
    return -((datetime.fromisoformat(asked["starting_at"]) - datetime.fromisoformat(asked["ending_at"])) // step)


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def app(workspaces: int) -> web.Application:
    answers = Answers(workspaces)

    async def me(request: web.Request) -> web.Response:
        number = int(request.headers["x-api-key"].rpartition("-")[2])
        name = {"id": f"org_00000000-0000-4000-8000-{number:012}", "type": "organization", "name": f"Company {number}"}
        return web.json_response(name)

    async def directory(request: web.Request) -> web.Response:
        return _json(answers.directory(request.match_info["kind"]))

    async def report(request: web.Request) -> web.Response:
        return _json(answers.report(request.path.split("/")[3], request.query_string))

    server = web.Application()
    server.router.add_get("/v1/organizations/me", me)
    server.router.add_get("/v1/organizations/{kind:workspaces|api_keys}", directory)
    server.router.add_get("/v1/organizations/cost_report", report)
    server.router.add_get("/v1/organizations/usage_report/messages", report)
    return server


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


if __name__ == "__main__":
    web.run_app(app(int(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
