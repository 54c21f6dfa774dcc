"""Floor 2: tools of an agent that reach outside of the call: Python functions, HTTP services, MCP servers."""
