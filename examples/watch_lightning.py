"""Watch a Lightning training: an autoencoder of scikit-learn's digits, half a minute.

python examples/watch_lightning.py     meanwhile, in another terminal: tui-latent attach latest
"""

import torch
from lightning.pytorch import LightningModule, Trainer
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from tui_latent.integrations.lightning import WatchLatents

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
labels = torch.tensor(digits.target)
train, val, y_train, y_val = train_test_split(images, labels, random_state=0)


class Autoencoder(LightningModule):
    """Digits to eight numbers and back."""

    def __init__(self, hidden: int = 128, latent_dim: int = 8) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, 64), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = self.encoder(x)  # what the callback takes for latents, unless it gets `embed`
        return z

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        return F.mse_loss(self.decoder(self(batch[0])), batch[0].flatten(1))

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        self.log("val_loss", F.mse_loss(self.decoder(self(batch[0])), batch[0].flatten(1)))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 2e-3)


classes, pictures = [str(name) for name in digits.target_names], (val * 255).byte()
watching = WatchLatents("digits-lightning", classes=classes, thumbnails=pictures, if_taken="number")
trainer = Trainer(max_epochs=40, check_val_every_n_epoch=5, callbacks=[watching], logger=False,
                  enable_checkpointing=False, enable_progress_bar=False)  # fmt: skip
trainer.fit(
    Autoencoder(),
    DataLoader(TensorDataset(train, y_train), batch_size=64, shuffle=True),
    DataLoader(TensorDataset(val, y_val), batch_size=450),
)
