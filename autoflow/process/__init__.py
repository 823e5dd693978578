"""Living in somebody else's process: locks across forks, owned file descriptors, daemon threads, file locks, time budgets."""
