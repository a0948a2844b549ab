"""Review and retrain in the browser, on top of `tagger.review`: passages are decided in a chosen order, and learned from."""
