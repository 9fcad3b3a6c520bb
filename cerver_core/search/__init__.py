"""What a search means: queries, dates, words and their forms, ranking and snippets; pure, knows no store."""
