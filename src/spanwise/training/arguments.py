"""A recipe's training in the words of ``transformers``."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import TrainingArguments

from spanwise.config import TrainingConfig


def computes_in_bf16() -> bool:
    """Whether the machine multiplies matrices in bf16 faster than in fp32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def training_arguments(config: TrainingConfig, checkpoints: Path, seed: int) -> TrainingArguments:
    """The recipe in the words of ``transformers``, but for the number of steps, which follows from the plan."""
    cuda = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        gradient_accumulation_steps=config.accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,  # below 1: a share of all steps
        max_grad_norm=config.max_grad_norm,
        bf16=config.precision == "bf16" or (config.precision == "auto" and computes_in_bf16()),
        use_cpu=not cuda,
        per_device_train_batch_size=1,  # an item is a batch already
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        seed=seed,
        remove_unused_columns=False,
        dataloader_pin_memory=cuda,
        log_level="error",
        accelerator_config={"dispatch_batches": False, "even_batches": False},
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # a process has one GPU; else the trainer would spread each batch over all that it sees
    return arguments
