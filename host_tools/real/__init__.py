"""Real boards on this computer: which ports there are, what is on them, which one is meant."""
