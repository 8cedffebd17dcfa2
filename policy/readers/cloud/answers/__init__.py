"""Answers of Alibaba Cloud's APIs, as `aliyun` prints them, in the words of the Pulumi properties.

The same rules then judge what exists already. `shapes` has the table of the APIs; the modules beside it say what the
items of one product's answers are; `together` knows what can only be told once all answers are there.
"""
