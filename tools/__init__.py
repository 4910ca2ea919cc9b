"""One tool, one file: where the world model and the knowledge base meet."""
