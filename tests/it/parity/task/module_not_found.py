raise ModuleNotFoundError("told by hand", name="a")
