"""Remembering by itself: agents' hooks leave notes in a spool, and a short-lived drainer brings their turns in."""
