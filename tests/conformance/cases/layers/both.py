name = "root"
