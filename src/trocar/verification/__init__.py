"""Whether the control CT shows that it was done."""
