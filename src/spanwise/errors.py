"""One base error, and one error per boundary that user input crosses.

The command line prints any of these as one line and exits with code 2; all else is a bug and keeps its traceback.
A message names the file, the line or field, what was found, and what would be right.
"""


class SpanwiseError(Exception):
    """Base of every error that a user can cause and mend."""


class ConfigError(SpanwiseError):
    """A recipe or an override is wrong."""


class RunDirectoryError(SpanwiseError):
    """A run directory is missing, damaged, or belongs to another recipe."""


class TraceError(SpanwiseError):
    """A trajectory file cannot be read, or what it holds is not a trajectory."""


class TaskDataError(SpanwiseError):
    """An environment's data (games, catalogues, questions) is missing or damaged."""


class TokenizationError(SpanwiseError):
    """Text and tokens do not fit each other, or nothing in them would be supervised."""


class ModelError(SpanwiseError):
    """A model folder cannot be used, or teacher and student do not fit each other."""


class TrainingError(SpanwiseError):
    """Training cannot go on (for example: a loss that is not finite)."""


class SignalError(SpanwiseError):
    """Cached teacher signals are missing, damaged, or of another teacher."""
