return "layer"
