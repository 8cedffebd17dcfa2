"""What is created on Alibaba Cloud, as plain values; what only the cloud knows, as ids, the components add."""
