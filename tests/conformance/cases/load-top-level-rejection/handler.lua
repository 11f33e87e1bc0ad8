trine.sleep(0.005)
error({ type = "RangeError", message = "out of reach" })
