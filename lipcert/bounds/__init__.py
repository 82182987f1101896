"""What the rules are composed into: bounds on the network's values over a whole region of inputs."""
