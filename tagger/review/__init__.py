"""What people decide of passages: kept, put together, measured by, and written as a corpus.

The workbench of `tagger serve` and `tagger theme` stand on it; it needs nothing of the extra `serve`.
"""
