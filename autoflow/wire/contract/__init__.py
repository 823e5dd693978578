"""autoflow's own methods, each declared once: its name, its request, its response and the errors it answers with.

The server validates requests against these declarations, the client calls by them, and the OpenAPI document is made of
them. `method` says how a declaration is written; the other modules each hold the methods of one subject.
"""
