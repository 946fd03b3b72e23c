"""What waits for people: the inbox of a person, of a role, of a unit."""
