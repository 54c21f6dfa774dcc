"""What the agent may do besides talking: built-in tools, and leave for the others, call by call."""

from offhook.call.tools.builtin import SPECS as SPECS
