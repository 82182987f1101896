"""One module an analysis: a graph, samples and settings become one record. They know nothing of each other."""
