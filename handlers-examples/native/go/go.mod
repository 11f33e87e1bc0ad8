module handler

go 1.19

require trine v0.0.0

replace trine => ../../../engines/native/go
