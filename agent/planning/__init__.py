"""How the offline planner reads: words, then what a question mentions, then what it asks."""
