import "../lib/folder";
