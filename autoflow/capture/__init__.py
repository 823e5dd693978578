"""The moment of the call: decorators, what they are compiled to, and the wrapper that carries it."""
