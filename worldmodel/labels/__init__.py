"""The 17 labels of the paper's risk: what they are, who judges them, and how they become one number."""
