local fine = 1

local broken = = 1
