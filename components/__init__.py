"""The layers of cluster-egress: settings -> plan -> components -> outputs, one way only."""
