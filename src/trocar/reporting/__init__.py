"""One self-contained page that tells a case: checks first, then the plan, the reasons, the figures and the sources."""
