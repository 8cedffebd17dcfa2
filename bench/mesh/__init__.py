"""Our plan and Istio's documented recipe, on one real cluster, in one run, with the same hosts."""
