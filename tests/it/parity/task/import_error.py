raise ImportError("told by hand")
