"""How the local stand-ins of other people's servers are reached."""

from aiohttp import web


async def listen(app: web.Application) -> tuple[web.AppRunner, str]:
    """Serves on a free port of 127.0.0.1 until the runner is cleaned up; its address, without a slash at the end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    return runner, f"http://{host}:{port}"
