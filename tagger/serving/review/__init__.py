"""Reviewing passages and learning from them."""
