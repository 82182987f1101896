"""Pictures of a report as SVG, one file a picture. They need matplotlib, which nothing else here does."""
