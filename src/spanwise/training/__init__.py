"""Models, divergences, the span objective and the trainer."""
