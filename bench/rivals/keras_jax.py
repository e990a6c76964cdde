#!/usr/bin/env python3
"""Rival: Keras on JAX, through Keras's fit."""
import keras_fit

keras_fit.main("jax")
