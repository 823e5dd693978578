"""The platform over HTTP: Starlette routes over the same `dispatcher.Platform` that the embedded transport calls.

Bytes, headers and addresses end here; an operation never sees a request. Operations run in threads, the loop only
moves bytes.
"""
