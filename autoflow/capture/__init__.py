"""Decorators: `decorators` compiles their options to a `plan`, `wrapper` and the drivers record each call by it."""
