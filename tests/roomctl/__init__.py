"""Tests of roomctl."""
