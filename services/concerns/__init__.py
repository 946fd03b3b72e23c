"""What citizens, media and the public bring up: classified, first answered, solved (§6.6)."""
