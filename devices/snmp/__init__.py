"""Managed switches over SNMP: `link` (questions to one agent), `driver` (their ports)."""
