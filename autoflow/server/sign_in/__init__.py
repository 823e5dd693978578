"""Sign-in by an OpenID provider: its options, who a user of it is here, and the session of a browser."""
