"""Tests of the benchmarks: what they measure with must be right."""
