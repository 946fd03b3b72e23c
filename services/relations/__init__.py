"""How cases and people relate: decomposition, duplicates, transfer, co-signers, commitments."""
