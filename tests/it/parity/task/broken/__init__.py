raise ValueError("the package fails")
