"""A call as one signed file that anybody can check: made, and verified."""
