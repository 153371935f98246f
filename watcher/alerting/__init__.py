"""Who hears of a match, when, and in which words."""
