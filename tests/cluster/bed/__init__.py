"""A whole Kubernetes cluster of plain processes in network namespaces; docs/test-bed.md has the picture."""
