"""An MCP server by the official SDK, run as a program: stock that can be asked for, and changed."""

import os
import sys

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("shop")


@server.tool()
def left(product: str) -> str:
    """How many are left."""
    if product == "nothing":
        raise ToolError("no such product")
    if product == "crash":
        os._exit(3)
    names = (os.environ.get("SHOP", "no name"), os.environ.get("OFFHOOK_SECRET", "no secret"))
    return f"{len(product)} of {product}; {'; '.join(names)}"


@server.tool()
def order(product: str, count: int = 1) -> str:
    """Order more."""
    return f"ordered {count}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")
