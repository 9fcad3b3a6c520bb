"""Finds the right session for natural questions: sets of questions in one JSON form, asked through the MCP tool.

A set is `{"conversations": [{"id", "sessions": [{"id", "date", "entries": [{"role", "content"}]}]}],
"questions": [{"question", "conversation", "answer_session_ids": [id]}]}`. Dates are ISO; ids are unique in a set.
`python -m benchmarks.recall FILE` measures a set; without a file, the reporting halves of three made here.
"""
