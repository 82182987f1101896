"""What a person or a CI job meets. Nothing here imports torch before a command needs it."""
