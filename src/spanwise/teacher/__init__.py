"""What a teacher says about each supervised position."""
