"""The relay over poor networks: namespaces, shaped links, and other people's clients behind them."""
