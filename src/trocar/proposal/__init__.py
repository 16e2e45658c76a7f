"""Which techniques, in what order, and why."""
