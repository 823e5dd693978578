"""Nothing is lost: records go to a journal on disk in one write, and a sender delivers them when it can."""
