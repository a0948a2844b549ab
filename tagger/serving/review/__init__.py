"""Review and retrain: passages saved to be reviewed, in which order to see them, what the decisions tell, and a model that learns from them."""
