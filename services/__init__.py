"""The subjects of supervision: what can be asked, what can happen and what people read."""
