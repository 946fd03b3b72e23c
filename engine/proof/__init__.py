"""Proof that nothing was taken away: trees over all histories, signatures, codes for paper."""
