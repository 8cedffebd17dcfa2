"""What is offered: backends, who may call them, their limits, and the Gateways through which callers reach them."""
