"""A case, or the whole office, at any point in time: states, path, differences, picture."""
