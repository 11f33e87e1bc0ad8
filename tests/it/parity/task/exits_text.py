raise SystemExit("a text")
