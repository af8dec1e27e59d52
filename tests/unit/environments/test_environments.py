import subprocess
import sys

from spanwise.config import EnvironmentConfig, GeneratorConfig
from spanwise.environments import make_task_set
from spanwise.environments.toy import ToyTasks


def test_the_toy_world_has_the_sizes_of_the_recipe():
    config = EnvironmentConfig(name="toy", generator=GeneratorConfig(train=7, valid_seen=3, valid_unseen=2))
    assert make_task_set(config) == ToyTasks(train=7, valid_seen=3, valid_unseen=2)


def test_workers_need_neither_torch_nor_textworld_for_the_toy_world():
    code = (
        "import sys, spanwise.environments, spanwise.environments.workers, spanwise.environments.toy;"
        "print([name for name in ('torch', 'transformers', 'textworld') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
