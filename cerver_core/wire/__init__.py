"""Everything that crosses a process: requests, replies, the HTTP map and the table of problems."""
