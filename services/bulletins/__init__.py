"""Bulletins (通报) and reports by month, quarter and year: figures as of a date, as a paper."""
