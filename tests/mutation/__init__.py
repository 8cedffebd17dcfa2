"""Mutation testing of classifier and rules: each small change to them should make a test fail."""
