"""The read side: a graph of cards and arrows, its scope, its layout, and the forms it is shown in."""
