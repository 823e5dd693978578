"""Methods of point clouds and their episodes alone."""
