"""The same problems by other programs; each module solves them as `needles(...)` and `column(...)`."""
