"""Language models as policies: prompts, the client of their servers, and the servers we start."""
