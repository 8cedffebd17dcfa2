"""Readers of Alibaba Cloud's resources, in the words of their Pulumi properties; they ask no API.

Each reads plain data, so what an API answered can be read as well, once it is put into these words.
"""
