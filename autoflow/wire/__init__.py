"""The bytes both ends agree on: Supervisely's methods and autoflow's own, to and from the model."""
