"""An offline stand-in for the Pulumi engine's preview: reads the settings, runs the program, asks the pack."""
