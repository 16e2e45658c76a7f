"""What each step does to the tissue."""
