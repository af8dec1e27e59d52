"""What a recipe may say: each model here is one table of the TOML file. ``recipes.py`` reads such files.

Defaults are what most recipes want; what a run used is written to its manifest.
"""

from spanwise.config.environment import (
    CollectConfig,
    EnvironmentConfig,
    EvaluateConfig,
    ExpertCollectConfig,
    GeneratorConfig,
    HotpotqaConfig,
    TeacherCollectConfig,
    WebshopConfig,
)
from spanwise.config.recipe import (
    RESERVED_NAMES,
    ArchitectureConfig,
    Recipe,
    SignalConfig,
    StudentConfig,
    StudentsConfig,
    TeacherConfig,
    TokenizerConfig,
    TracesConfig,
)
from spanwise.config.table import NONE, Names, Table, merge
from spanwise.config.training import (
    CurriculumConfig,
    Divergence,
    LearntWeightsConfig,
    Method,
    ObjectiveConfig,
    OnPolicyConfig,
    Pacing,
    Reduction,
    Segments,
    TermConfig,
    TrainingConfig,
)

__all__ = [
    "NONE",
    "RESERVED_NAMES",
    "ArchitectureConfig",
    "CollectConfig",
    "CurriculumConfig",
    "Divergence",
    "EnvironmentConfig",
    "EvaluateConfig",
    "ExpertCollectConfig",
    "GeneratorConfig",
    "HotpotqaConfig",
    "LearntWeightsConfig",
    "Method",
    "Names",
    "ObjectiveConfig",
    "OnPolicyConfig",
    "Pacing",
    "Recipe",
    "Reduction",
    "Segments",
    "SignalConfig",
    "StudentConfig",
    "StudentsConfig",
    "Table",
    "TeacherCollectConfig",
    "TeacherConfig",
    "TermConfig",
    "TokenizerConfig",
    "TracesConfig",
    "TrainingConfig",
    "WebshopConfig",
    "merge",
]
