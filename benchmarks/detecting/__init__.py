"""How well unusual spend is found: public series, injected incidents, our detector beside others."""
