"""What commonly goes wrong with an installation: looked for, named, and how it is mended."""
