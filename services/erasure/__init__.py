"""Personal data of a case erased for good: proposed by one, confirmed by another, on record."""
