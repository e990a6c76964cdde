#!/usr/bin/env python3
"""Rival: PyTorch with forward, backward and optimizer step under torch.compile."""
import pytorch_fit

pytorch_fit.main("pytorch_compile", compiled=True)
