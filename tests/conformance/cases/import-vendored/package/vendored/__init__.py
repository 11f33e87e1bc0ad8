name = "vendored"
