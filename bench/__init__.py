"""Load generator and benchmarks; each prints a table, and writes JSON when asked."""
