"""Edges: files in and out, always LPS inside."""
