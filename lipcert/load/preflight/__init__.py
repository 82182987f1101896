"""What a file claims, held against what it holds, before anything in it is loaded. Imports neither torch nor numpy."""
