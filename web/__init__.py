"""What people see: templates, islands, one stylesheet, one catalog, and the small renderer that server and agent share."""
