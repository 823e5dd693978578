"""The guide's `Api` object, on our server and on an instance alike: it speaks through a transport only."""
