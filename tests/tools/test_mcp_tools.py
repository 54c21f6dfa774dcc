"""MCP servers by the official SDK: over pipes and HTTP, down, lost, allowed tools, inner addresses."""

import asyncio
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from offhook.foundation.tools import Effect
from offhook.tools import mcp
from offhook.tools.base import Rules, ToolContext, ToolError
from offhook.tools.mcp import McpServer, ServerAddress

pytest.importorskip("mcp")
SHOP = (sys.executable, str(Path(__file__).parent / "mcp_shop.py"))


@pytest.fixture
async def connected():
    servers = []

    async def connect(**address) -> McpServer:
        server = McpServer("shop", ServerAddress(**address), Rules(Effect.WRITE))
        servers.append(server)
        await server.open()
        return server

    yield connect
    for server in servers:
        await server.close()


async def test_tools_over_pipes(connected, monkeypatch):
    monkeypatch.setenv("OFFHOOK_SECRET", "canary")
    server = await connected(command=SHOP, env={"SHOP": "corner"}, effects={"left": Effect.READ})
    tools = {tool.name: tool for tool in server.tools}
    assert set(tools) == {"shop_left", "shop_order"}
    assert tools["shop_left"].spec.description == "How many are left."
    assert tools["shop_left"].spec.parameters["required"] == ["product"]
    assert (tools["shop_left"].rules.needs_yes, tools["shop_order"].rules.needs_yes) == (False, True)
    text = await tools["shop_left"].run({"product": "tea"}, ToolContext())
    assert text == "3 of tea; corner; no secret"  # its environment is what the settings give it
    with pytest.raises(ToolError, match="no such product"):
        await tools["shop_left"].run({"product": "nothing"}, ToolContext())


async def test_a_server_that_dies_fails_one_call_and_is_started_again(connected, monkeypatch):
    monkeypatch.setattr(mcp, "RETRY_S", (0.01,))
    server = await connected(command=SHOP, only=("left",))
    (left,) = server.tools
    with pytest.raises(ToolError, match="lost"):
        await left.run({"product": "crash"}, ToolContext())
    async with asyncio.timeout(20):
        while True:
            try:
                text = await left.run({"product": "tea"}, ToolContext())
                break
            except ToolError:
                await asyncio.sleep(0.05)
    assert "3 of tea" in text


@pytest.fixture
async def http_shop(unused_tcp_port):
    process = await asyncio.create_subprocess_exec(
        *SHOP, str(unused_tcp_port), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
                writer.close()
                break
            except OSError:
                await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{unused_tcp_port}/mcp"
    process.kill()
    await process.wait()


async def test_tools_over_http_and_inner_addresses(connected, http_shop):
    server = await connected(url=http_shop, allow_private=True, only=("order",))
    (order,) = server.tools
    assert await order.run({"product": "tea", "count": 2}, ToolContext()) == "ordered 2"
    with capture_logs() as logs:
        refused = await connected(url=http_shop)
    assert refused.tools == ()
    assert "allow_private_url" in logs[0]["error"]


async def test_a_server_that_is_not_there_has_no_tools(connected):
    with capture_logs() as logs:
        server = await connected(command=("no-such-program-anywhere",))
    assert server.tools == ()
    assert "no-such-program-anywhere" in logs[0]["error"]


async def test_a_server_that_prints_something_else_is_told_in_one_line(connected, caplog):
    talk = "import sys; sys.stdout.write('ready to serve\\n' * 3)"
    with capture_logs() as logs:
        server = await connected(command=(sys.executable, "-c", talk))
    assert server.tools == ()
    assert [entry["event"] for entry in logs] == ["an MCP server cannot be used"]
    assert not [record for record in caplog.records if record.name.startswith("mcp")]
