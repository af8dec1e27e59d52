"""Structured Agent Distillation: an LLM agent made small, span by span."""
