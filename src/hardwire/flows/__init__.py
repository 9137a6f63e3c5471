"""Outside tools: synthesis and mapping of a circuit, judged by what the tool wrote."""
