"""Starting, watching and steering an engine from outside its process."""
