"""A run as one HTML page: no script, nothing loaded, every foreign text escaped."""
