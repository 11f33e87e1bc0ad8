name = "layer"
