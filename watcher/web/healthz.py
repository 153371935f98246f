"""/healthz: what `watcher status` goes by, in a status code and a word."""

from __future__ import annotations

from aiohttp import web

from watcher.pipeline import Services
from watcher.store.wellness import wellness


async def healthz(services: Services, request: web.Request) -> web.Response:
    """200 where watcher is well, else 503; plain text, or JSON where that is asked for. Names no source."""
    async with services.store.read() as tx:
        found = await wellness(tx)
    status = 200 if found.well else 503
    if "application/json" in request.headers.get("Accept", ""):
        values = {"well": found.well, "workers": len(found.workers), "lag_seconds": round(found.lag)}
        return web.json_response(values, status=status)
    word = "well" if found.well else f"not well: due work waits for {found.lag:.0f} s" if found.workers else "not well"
    return web.Response(status=status, text=word + "\n")
