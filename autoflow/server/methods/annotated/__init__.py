"""Methods of the types of projects whose annotations are objects with figures: videos, point clouds, volumes."""
