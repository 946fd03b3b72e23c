"""Files that people attach: taken in by content, never by name, and seen through their case."""
