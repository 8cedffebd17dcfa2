"""Each module reads one kind of thing out of objects, for the rules about it. Nothing here decides what is wrong."""
