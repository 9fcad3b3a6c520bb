"""Wire models as text for agents and people: pure functions from models to strings, nothing else."""
