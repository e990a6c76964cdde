"""The main job in PyTorch, for pytorch_eager.py and pytorch_compile.py."""
import os
import time

import contract


# Measured on two threads of a loaded two-core Sapphire Rapids machine, seconds an epoch: all 469 optimizer steps take
# 1.1 with foreach and 0.75 without; one epoch 1.9 eager and 1.5 compiled, and 1.3 eager with bfloat16. Flushing
# subnormal numbers changes nothing in the first epoch; they appear later, where it helps.
def main(rival, compiled):
    options = contract.options(mode="default", foreach=0, flush_denormal=1)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    (x, labels), (x_test, labels_test) = contract.mnist(options.data)

    import torch

    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(bool(options.flush_denormal))
    x, y = torch.from_numpy(x), torch.from_numpy(labels).long()
    x_test, y_test = torch.from_numpy(x_test), torch.from_numpy(labels_test).long()
    cast = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16", cache_enabled=False)

    def new_model():
        model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
        return model, torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7, foreach=bool(options.foreach))

    def gradients(model, rows, classes):
        with cast:
            loss = torch.nn.functional.cross_entropy(model(rows), classes)
        loss.backward()

    def fit(model, optimizer, epochs):
        for _ in range(epochs):
            order = torch.randperm(len(x))
            for batch in order.split(options.batch_size):
                step(model, optimizer, x[batch], y[batch])

    def whole_step(model, optimizer, rows, classes):
        optimizer.zero_grad(set_to_none=True)
        gradients(model, rows, classes)
        optimizer.step()

    step = torch.compile(whole_step, dynamic=False, mode=options.mode) if compiled else whole_step

    model, optimizer = new_model()
    if not options.no_warm_up:
        fit(model, optimizer, 1)  # also compiles for full batches and for the last, partial one
    seconds = []
    for _ in range(options.repeats):
        fresh, _ = new_model()
        model.load_state_dict(fresh.state_dict())
        for slots in optimizer.state.values():
            slots["square_avg"].zero_()
        began = time.perf_counter()
        fit(model, optimizer, options.epochs)
        seconds.append(time.perf_counter() - began)
    with torch.no_grad():
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    contract.report(
        rival, f"torch {torch.__version__}", options.threads, fit_seconds=seconds, test_accuracy=accuracy,
        precision=options.precision,
    )
