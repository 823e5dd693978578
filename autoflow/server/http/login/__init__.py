"""Sign-in of browsers by an OpenID provider: the provider, the cookie of a session, and the routes."""
