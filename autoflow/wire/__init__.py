"""The contract between client and server: names of methods, declarations of our own, records, cards, edges."""
