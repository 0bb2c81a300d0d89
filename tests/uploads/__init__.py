"""Files and addresses that come from outside."""
