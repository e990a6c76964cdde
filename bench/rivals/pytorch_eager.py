#!/usr/bin/env python3
"""Rival: PyTorch, eager."""
import pytorch_fit

pytorch_fit.main("pytorch_eager", compiled=False)
