"""The server over HTTP: Starlette routes over the same `dispatcher.Server` that the embedded transport calls.

Bytes, headers and addresses end here; an operation never sees a request. Operations run in threads, the loop only
moves bytes.
"""
