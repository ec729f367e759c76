"""Where zone data come from: objects, zone files, a TXT file. The loader's side."""
