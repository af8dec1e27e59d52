"""A model sharded by FSDP2 over two processes has the chunked loss and the gradients of the whole one."""

import os
import socket
import subprocess
import sys

import torch
from torch import Tensor
from torch.distributed import destroy_process_group, init_process_group
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import LlamaConfig, LlamaForCausalLM

from spanwise.training import projection
from spanwise.training.projection import hidden_at, output_head, sum_over_chunks

VOCABULARY = 97


def create() -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)


def loss_of(model: LlamaForCausalLM) -> Tensor:
    """Cross-entropy at some positions, in chunks of three."""
    torch.manual_seed(1)
    ids, positions = torch.randint(VOCABULARY, (2, 9)), torch.rand(2, 9) > 0.5
    targets = torch.randint(VOCABULARY, (int(positions.sum()),))
    assert len(targets) > 3

    def loss(chunk: Tensor, logits: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(logits, targets[chunk], reduction="sum")

    return sum_over_chunks(loss, output_head(model, VOCABULARY), hidden_at(model, {"input_ids": ids}, positions))


def compare() -> None:
    """In each of two processes: shards a model, and compares it with one that is not."""
    projection.CHUNK_LOGITS = 3 * VOCABULARY
    init_process_group("gloo")
    mesh = init_device_mesh("cpu", (2,))
    whole, sharded = create(), create()
    for layer in sharded.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(sharded, mesh=mesh)
    expected, found = loss_of(whole), loss_of(sharded)
    torch.testing.assert_close(found, expected)
    expected.backward()
    found.backward()
    gradients = {name: parameter.grad for name, parameter in whole.named_parameters()}
    assert len(gradients) > 10
    for name, parameter in sharded.named_parameters():
        torch.testing.assert_close(parameter.grad.full_tensor(), gradients[name], msg=name)
    destroy_process_group()


def test_a_sharded_model_has_the_loss_and_gradients_of_the_whole_one() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)


if __name__ == "__main__":
    compare()
