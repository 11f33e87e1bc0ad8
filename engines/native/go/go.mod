module trine

go 1.19
