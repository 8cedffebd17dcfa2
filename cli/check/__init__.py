"""What `egress check` does: it reads manifests as kubectl does, judges them with the pack, and finds the lines."""
