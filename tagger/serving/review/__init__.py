"""Review and retrain: passages are saved to be reviewed, decided in a chosen order, and learned from."""
