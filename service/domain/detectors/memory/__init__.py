"""Histories replayed and kept, so that the newest days need not be learnt from the first."""
