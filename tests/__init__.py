"""Tests, one folder per layer, by distance from reality."""
