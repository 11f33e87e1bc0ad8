fine = 1

broken = (
