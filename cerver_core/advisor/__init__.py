"""Where work should run: filter, score, decide. Pure: no I/O, no clock, the same answer for the same question."""

from cerver_core.advisor.candidate import Candidate
from cerver_core.advisor.decide import Question, recommend
from cerver_core.advisor.history import History, Observation

__all__ = ["Candidate", "History", "Observation", "Question", "recommend"]
