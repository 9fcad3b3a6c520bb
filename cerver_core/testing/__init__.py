"""Contract suites to inherit, and stand-ins for wires we cannot reach: for our own tests and for plug-in authors."""
