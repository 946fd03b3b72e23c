"""The doors: HTTP, command line, worker. They call services and engine, never the other way."""
