"""Errors of the agent."""

from __future__ import annotations

from pathlib import Path


class AgentError(Exception):
    """Base of all errors of this package that are not a `wire.problems.Refusal`."""


class ConfigError(AgentError):
    """A setting is wrong: names the file, the key, what is wrong with it and what to do. `code` is stable."""

    def __init__(self, path: Path, key: str, problem: str, remedy: str, code: str = "config.wrong") -> None:
        super().__init__(f"{path}: {key} {problem}; {remedy}")
        self.path = path
        self.key = key
        self.problem = problem
        self.remedy = remedy
        self.code = code


class LinkClosed(AgentError):
    """The control link is gone or was never there."""
