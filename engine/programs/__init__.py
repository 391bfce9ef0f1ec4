"""Programs: taking their source out of a reply, running them in the sandbox, judging what they do."""
