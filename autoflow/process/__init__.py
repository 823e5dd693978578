"""Living in somebody else's process: locks across forks, file descriptors, daemon threads, file locks, time budgets."""
