"""One module per command of `egress`."""
