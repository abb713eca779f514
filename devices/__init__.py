"""Drivers for room equipment: capabilities, the framework that runs them, protocol drivers, emulators."""
