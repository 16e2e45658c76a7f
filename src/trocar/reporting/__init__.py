"""The report a team reads, in English and French."""
