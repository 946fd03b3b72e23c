"""The story of a case in plain words, and what was refused."""
