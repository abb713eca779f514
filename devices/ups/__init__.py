"""Power supplies behind Network UPS Tools: `lines` (its protocol), `link` (a shared connection to one upsd)."""
