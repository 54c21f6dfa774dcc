"""The coach: listens to caller and operator of a live call and says to the operator what is wanted, what is
wrong and what to say. See docs/coach.md."""
