"""Envoy Gateway itself as the yardstick: what it refuses, what it lets through, and what the pack says of the same."""
