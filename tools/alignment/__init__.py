"""Preference alignment: what the pipeline ranks first, beside what was prescribed, for thousands of episodes."""
