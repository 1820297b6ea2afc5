"""Watch a loop of plain torch: VICReg on scikit-learn's digits, half a minute on two cores.

python examples/watch_torch.py          then, in another terminal: tui-latent attach latest
"""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

import tui_latent

digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
train, val, y_train, y_val = train_test_split(images, digits.target, random_state=0)


def view(x: Tensor) -> Tensor:
    """Turn each image by up to 20 degrees, shift it by up to a pixel, and add noise."""
    angle, shift = (torch.rand(len(x)) - 0.5) * 0.7, (torch.rand(len(x), 2, 1) - 0.5) * 0.5
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    grid = F.affine_grid(torch.cat([turn, shift], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False) + 0.05 * torch.randn_like(x)


def covariance(z: Tensor) -> Tensor:
    """Return the mean square of what a dimension has in common with the others."""
    return (torch.cov(z.T).fill_diagonal_(0) ** 2).sum() / z.shape[1]


torch.manual_seed(0)
encoder = nn.Sequential(
    nn.Flatten(), nn.Linear(64, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 16)
)
projector = nn.Sequential(nn.Linear(16, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 128))
optimizer = torch.optim.AdamW([*encoder.parameters(), *projector.parameters()], lr=2e-3)

classes = [str(name) for name in digits.target_names]
with tui_latent.watch("digits-torch", classes=classes, thumbnails=(val * 255).byte()) as run:
    for step in range(1, 1001):
        x = train[torch.randint(len(train), (256,))]
        a, b = projector(encoder(torch.cat([view(x), view(x)]))).chunk(2)
        invariance = F.mse_loss(a, b)
        variance = sum(F.relu(1 - z.std(0)).mean() for z in (a, b))
        covariances = covariance(a) + covariance(b)
        loss = 25 * invariance + 25 * variance + covariances
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log(step, loss=loss, invariance=invariance, variance=variance, covariance=covariances)
        if step % 100 == 0:
            with torch.no_grad():
                z_train, z_val = encoder.eval()(train), encoder(val)
            encoder.train()
            run.latents(step, queries=z_val, labels=y_val, bank=z_train, bank_labels=y_train)
        if run.asked.stop:
            break
