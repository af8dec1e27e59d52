"""What a run found, for people: tables, plots, Markdown, and one HTML page that needs nothing else."""
