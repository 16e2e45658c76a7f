"""The sheets a team works with: one content model each, rendered as HTML and as a tagged PDF."""
