"""What operators, their coach and the evidence do with calls that are live. See docs/desk.md."""
