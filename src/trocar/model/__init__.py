"""The nouns: frozen records that stages pass to each other. numpy only, no framework."""
