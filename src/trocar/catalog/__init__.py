"""Facts with their sources: devices, tissues, limits, rules."""
