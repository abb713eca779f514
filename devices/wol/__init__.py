"""Wake-on-LAN: `packet` (the magic packet), `driver` (a computer that is woken)."""
