"""The outbox: records are written to a journal on disk, and a sender thread delivers them, with retries."""
