"""The conversation: graph, planner, command line, report."""
