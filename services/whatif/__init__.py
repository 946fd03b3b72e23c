"""What past cases would have come to on another definition: run again in memory, never stored."""
