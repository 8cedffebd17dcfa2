"""One module per form in which a preview is shown or written."""
