"""What is created on Alibaba Cloud: nodes, addresses, a firewall; and what of it an account may have."""
