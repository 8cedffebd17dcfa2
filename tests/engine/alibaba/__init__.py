"""A stand-in for the APIs of Alibaba Cloud: what our resources call, for the real plugin to run against.

It behaves as the documents of the APIs say, and refuses what they refuse; each refusal names its document. Where no
document names an error code, the comment says so. What it does not know it refuses with `NotInTheStandIn`, loudly.
"""
