"""What kind of thing an address or a name is. Pure, and imports nothing of ours."""
