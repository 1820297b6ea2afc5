"""Train an encoder without labels and measure it by kNN: no screen, no run folder.

python examples/train_without_a_screen.py                    the bundled digits, about 10 seconds
python examples/train_without_a_screen.py mnist-conv-autoencoder-7d train.epochs=2
"""

import sys
from collections.abc import Mapping

from tui_latent.config.presets import load_preset
from tui_latent.datasets.sources import load_dataset
from tui_latent.training.device import choose_device
from tui_latent.training.evaluator import Evaluator
from tui_latent.training.loop import TrainingLoop

name = sys.argv[1] if len(sys.argv) > 1 else "digits-vicreg"
changes: Mapping[str, object] = dict(word.split("=", 1) for word in sys.argv[2:])
preset = load_preset(name, changes or {"train.epochs": 10})

dataset = load_dataset(preset.data, preset.train.seed, log=print)
loop = TrainingLoop(preset, dataset, choose_device(preset.train.device), log=print)

while loop.done < loop.total_steps:
    terms = loop.step()
    if loop.done % loop.sampler.steps_per_epoch == 0:
        epoch = loop.done // loop.sampler.steps_per_epoch
        print(f"epoch {epoch:3}: loss {terms['loss'].item():.4f}")

metrics = Evaluator(loop.dataset).evaluate(loop.method, loop.autocast).metrics
print(f"kNN@20 accuracy on held-out images: {metrics['val/knn_20']:.4f}")
