"""The `egress` command: what a declaration becomes, previewed without the Pulumi engine."""
