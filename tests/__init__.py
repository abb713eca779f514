"""Tests mirror the folders; `end_to_end` drives the whole product with real browsers."""
