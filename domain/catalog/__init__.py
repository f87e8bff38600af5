"""What can be bought: models that customers name, and the offers behind them."""
