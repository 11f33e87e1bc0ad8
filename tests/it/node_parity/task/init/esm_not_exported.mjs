import "conditional/private";
