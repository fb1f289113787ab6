"""Fixtures of the tests of the command lines."""

from tests.cli.small_trainer import small_trainer as small_trainer
