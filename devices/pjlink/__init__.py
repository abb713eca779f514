"""PJLink displays and projectors, class 1 and 2, over TCP 4352."""
