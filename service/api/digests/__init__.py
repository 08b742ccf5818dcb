"""Digests, and the page behind the link of one."""

from fastapi import APIRouter

from service.api.digests import digests

ROUTERS: tuple[APIRouter, ...] = (digests.router,)
