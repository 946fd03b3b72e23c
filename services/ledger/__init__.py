"""The ledger (督查台账): the register as a table, to Excel or CSV and back (domain.md §8)."""
