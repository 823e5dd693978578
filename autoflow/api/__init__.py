"""The guide's `Api` object, on our platform and on an instance alike: it speaks through a transport only."""
