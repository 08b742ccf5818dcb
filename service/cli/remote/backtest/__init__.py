"""`tocsin backtest`: a rule or a budget replayed over the stored past, with a plot."""
