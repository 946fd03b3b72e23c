"""A city's year as a demonstration: sample matters, plans for them, and the run that plays them."""
