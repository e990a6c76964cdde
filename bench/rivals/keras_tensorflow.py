#!/usr/bin/env python3
"""Rival: Keras on TensorFlow."""
import keras_fit

keras_fit.main("tensorflow")
