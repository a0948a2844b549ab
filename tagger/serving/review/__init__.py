"""Review and retrain: passages saved to be reviewed, the order in which to see them, what the decisions tell, and a model learned from them."""
