"""Managed switches over SNMP: `link` (questions to one agent), `engines` (what pysnmp keeps), `driver` (ports)."""
