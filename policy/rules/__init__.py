"""One file a rule. `policy.registry` lists them all; a rule may import facts, never the plan."""
