"""Images of users: their headers are read in this process, their pixels in bounded processes of their own."""
