"""Other projects' programs on Offhook's lines: what plugs into their SDKs. Import each by its own name."""
