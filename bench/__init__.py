"""Speed as ratios: the product and a floor in one run."""
