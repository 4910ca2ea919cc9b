"""ECGs: reading, measuring, and simulating what a drug does to them."""
