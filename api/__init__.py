"""HTTP: limits, tokens, routes and problems. Decides nothing; the domain does."""
