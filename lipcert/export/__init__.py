"""A loaded model written back with other weights."""
