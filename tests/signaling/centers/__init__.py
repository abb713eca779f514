"""Tests of `signaling/centers`."""
