"""A server as seen from an app: calls, uploads, downloads; over HTTP, embedded in this process, or in memory."""
