"""Tests of signaling."""
